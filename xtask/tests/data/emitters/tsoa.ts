// tsoa: controllers whose TypeScript types are the schemas.
import { Body, Controller, Delete, Get, OperationId, Post, Put, Response, Route, Security, SuccessResponse, Tags } from "tsoa";

interface Token {
  id: string;
  secret?: string | null;
}
interface NewToken {
  id: string;
}
interface Auth0TokenResponse {
  access_token: string;
  token_type: string;
  /** @isInt */
  expires_in: number;
}
interface Problem {
  message: string;
}

@Route("auth")
@Tags("Authentication")
export class Authentication extends Controller {
  /** Login with API Token */
  @Post("login")
  @OperationId("login")
  @SuccessResponse(202, "Success")
  @Response<Problem>(422, "Invalid")
  public async login(@Body() token: Token): Promise<Auth0TokenResponse> {
    throw new Error(token.id);
  }

  /** Get your API Token ID */
  @Get("api-token")
  @OperationId("get_api_token")
  @Security("JWT")
  @Response(401, "Unauthorized")
  public async get(): Promise<NewToken> {
    throw new Error();
  }

  /** Create an API Token */
  @Post("api-token")
  @OperationId("create_api_token")
  @Security("JWT")
  @SuccessResponse(201, "Success")
  public async create(): Promise<Token> {
    throw new Error();
  }

  /** Rotate an API token secret */
  @Put("api-token")
  @OperationId("rotate_api_token_secret")
  @Security("JWT")
  public async rotate(): Promise<Token> {
    throw new Error();
  }

  /** Delete an API Token */
  @Delete("api-token")
  @OperationId("delete_api_token")
  @Security("JWT")
  public async remove(): Promise<void> {}
}
