// Fastify with @fastify/swagger: JSON schemas that are shared by $id.
import Fastify from "fastify";
import swagger from "@fastify/swagger";

const text = { type: "string" };
const version = process.argv[2];
const secret = version.startsWith("3.1") ? { type: ["string", "null"] } : { type: "string", nullable: true };
const app = Fastify();
await app.register(swagger, {
  openapi: {
    openapi: version,
    info: { title: "pollination.cloud", version: "0.0.1" },
    servers: [{ url: "https://api.pollination.cloud" }],
    components: { securitySchemes: { JWT: { type: "http", scheme: "bearer", bearerFormat: "JWT" } } },
  },
});
app.addSchema({ $id: "Token", type: "object", properties: { id: text, secret }, required: ["id"] });
app.addSchema({ $id: "NewToken", type: "object", properties: { id: text }, required: ["id"] });
app.addSchema({
  $id: "Auth0TokenResponse",
  type: "object",
  properties: { access_token: text, token_type: text, expires_in: { type: "integer" } },
  required: ["access_token", "token_type", "expires_in"],
});
app.addSchema({ $id: "Problem", type: "object", properties: { statusCode: { type: "integer" }, message: text } });
const schema = (operationId, rest) => ({
  schema: { operationId, tags: ["Authentication"], ...rest },
  handler: async () => ({}),
});
const security = [{ JWT: [] }];
const problem = { description: "Unauthorized", $ref: "Problem#" };
app.post("/auth/login", schema("login", { body: { $ref: "Token#" }, response: { 202: { $ref: "Auth0TokenResponse#" } } }));
app.get("/auth/api-token", schema("get_api_token", { security, response: { 200: { $ref: "NewToken#" }, 401: problem, 404: problem } }));
app.post("/auth/api-token", schema("create_api_token", { security, response: { 201: { $ref: "Token#" } } }));
app.put("/auth/api-token", schema("rotate_api_token_secret", { security, response: { 200: { $ref: "Token#" }, "4xx": problem } }));
app.delete("/auth/api-token", schema("delete_api_token", { security, response: { 204: { type: "null", description: "Success" } } }));
await app.ready();
console.log(JSON.stringify(app.swagger(), null, 1));
