//! Carries out the commands, one module for each.

mod access_token;
mod login;
mod logout;
mod pages;
mod status;
mod token;

use crate::args::{Arguments, Command, Token};
use crate::context::Context;
use crate::error::CliError;

/// Does what the command line asks for.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), CliError> {
    match &arguments.command {
        Command::Completions { shell } => return pages::completions(*shell),
        Command::Man { command } => return pages::man(command),
        _ => {}
    }
    let open = match &arguments.command {
        Command::AccessToken(_) | Command::Status | Command::Token(Token::Show(_)) => {
            Context::open_or_without_store
        }
        _ => Context::open,
    };
    let context = open(&arguments.global)?;
    let done = carry_out(&context, arguments).await;
    done.map_err(|error| context.explain(error))
}

async fn carry_out(context: &Context, arguments: &Arguments) -> Result<(), CliError> {
    match &arguments.command {
        Command::Login(login) => login::run(context, login).await,
        Command::AccessToken(wanted) => access_token::run(context, wanted).await,
        Command::Status => status::run(context).await,
        Command::Logout(confirmed) => logout::run(context, confirmed).await,
        Command::Token(Token::Show(bearer)) => token::show::run(context, bearer).await,
        Command::Token(Token::Create(create)) => token::create::run(context, create).await,
        Command::Token(Token::Rotate(rotate)) => token::rotate::run(context, rotate).await,
        Command::Token(Token::Delete(delete)) => token::delete::run(context, delete).await,
        Command::Completions { .. } | Command::Man { .. } => Ok(()),
    }
}
