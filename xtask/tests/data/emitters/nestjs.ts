// NestJS with @nestjs/swagger: controllers and classes with decorators.
import "reflect-metadata";
import { Body, Controller, Delete, Get, HttpCode, Module, Post, Put } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import {
  ApiAcceptedResponse, ApiBearerAuth, ApiCreatedResponse, ApiNoContentResponse, ApiNotFoundResponse, ApiOkResponse,
  ApiOperation, ApiProperty, ApiPropertyOptional, ApiTags, ApiUnauthorizedResponse, DocumentBuilder, SwaggerModule,
} from "@nestjs/swagger";

class Token {
  @ApiProperty() id!: string;
  @ApiPropertyOptional({ type: String, nullable: true }) secret?: string | null;
}
class NewToken {
  @ApiProperty() id!: string;
}
class Auth0TokenResponse {
  @ApiProperty() access_token!: string;
  @ApiProperty() token_type!: string;
  @ApiProperty({ type: "integer" }) expires_in!: number;
}

@ApiTags("Authentication")
@Controller("auth")
class Authentication {
  @Post("login")
  @HttpCode(202)
  @ApiOperation({ operationId: "login", summary: "Login with API Token" })
  @ApiAcceptedResponse({ type: Auth0TokenResponse })
  login(@Body() _token: Token) {}

  @Get("api-token")
  @ApiBearerAuth("JWT")
  @ApiOperation({ operationId: "get_api_token", summary: "Get your API Token ID" })
  @ApiOkResponse({ type: NewToken })
  @ApiUnauthorizedResponse({ description: "Unauthorized" })
  @ApiNotFoundResponse({ description: "Not found" })
  get() {}

  @Post("api-token")
  @ApiBearerAuth("JWT")
  @ApiOperation({ operationId: "create_api_token", summary: "Create an API Token" })
  @ApiCreatedResponse({ type: Token })
  create() {}

  @Put("api-token")
  @ApiBearerAuth("JWT")
  @ApiOperation({ operationId: "rotate_api_token_secret", summary: "Rotate an API token secret" })
  @ApiOkResponse({ type: Token })
  rotate() {}

  @Delete("api-token")
  @HttpCode(204)
  @ApiBearerAuth("JWT")
  @ApiOperation({ operationId: "delete_api_token", summary: "Delete an API Token" })
  @ApiNoContentResponse({ description: "Success" })
  remove() {}
}

@Module({ controllers: [Authentication] })
class App {}

async function emit() {
const app = await NestFactory.create(App, { logger: false });
const config = new DocumentBuilder()
  .setTitle("pollination.cloud")
  .setVersion("0.0.1")
  .addServer("https://api.pollination.cloud")
  .addBearerAuth({ type: "http", scheme: "bearer", bearerFormat: "JWT" }, "JWT")
  .build();
console.log(JSON.stringify(SwaggerModule.createDocument(app, config), null, 1));
}
void emit();
