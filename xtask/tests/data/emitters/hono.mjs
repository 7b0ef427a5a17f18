// Hono with @hono/zod-openapi: zod schemas.
import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";

const Token = z.object({ id: z.string(), secret: z.string().nullish() }).openapi("Token");
const NewToken = z.object({ id: z.string() }).openapi("NewToken");
const Auth0TokenResponse = z
  .object({ access_token: z.string(), token_type: z.string(), expires_in: z.number().int() })
  .openapi("Auth0TokenResponse");
const Problem = z.object({ code: z.number().int(), message: z.string() }).openapi("Problem");
const json = (schema, description = "Success") => ({ description, content: { "application/json": { schema } } });
const app = new OpenAPIHono();
app.openAPIRegistry.registerComponent("securitySchemes", "JWT", { type: "http", scheme: "bearer", bearerFormat: "JWT" });
const common = { tags: ["Authentication"] };
const security = [{ JWT: [] }];
const route = (description) => app.openapi(createRoute({ ...common, ...description }), (c) => c.body(null));
route({
  method: "post", path: "/auth/login", operationId: "login",
  request: { body: { required: true, content: { "application/json": { schema: Token } } } },
  responses: { 202: json(Auth0TokenResponse), 422: json(Problem, "Invalid") },
});
route({ method: "get", path: "/auth/api-token", operationId: "get_api_token", security, responses: { 200: json(NewToken), 401: json(Problem, "Unauthorized") } });
route({ method: "post", path: "/auth/api-token", operationId: "create_api_token", security, responses: { 201: json(Token) } });
route({ method: "put", path: "/auth/api-token", operationId: "rotate_api_token_secret", security, responses: { 200: json(Token), default: json(Problem, "Error") } });
route({ method: "delete", path: "/auth/api-token", operationId: "delete_api_token", security, responses: { 204: { description: "Success" } } });
const info = { title: "pollination.cloud", version: "0.0.1" };
const servers = [{ url: "https://api.pollination.cloud" }];
const document = process.argv[2] === "3.1.0"
  ? app.getOpenAPI31Document({ openapi: "3.1.0", info, servers })
  : app.getOpenAPIDocument({ openapi: "3.0.0", info, servers });
console.log(JSON.stringify(document, null, 1));
