//! Carries out the commands, one module for each.

mod access_token;
mod doctor;
mod exec;
mod login;
mod logout;
mod pages;
mod profile;
mod status;
mod token;

use crate::args::global::Global;
use crate::args::token::Token;
use crate::args::{Arguments, Command, Profile};
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::place::Place;

/// Does what the command line asks for.
pub(crate) async fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    match &arguments.command {
        Command::Completions { shell } => return pages::completions(*shell).map(|()| Exit::Done),
        Command::Man { command } => return pages::man(command).map(|()| Exit::Done),
        Command::Doctor => return doctor::run(&arguments.global).await,
        Command::Profile(Profile::List) => {
            return profile::list(&arguments.global).await.map(|()| Exit::Done);
        }
        _ => {}
    }
    let open: fn(&Global) -> Result<Context, CliError> = match &arguments.command {
        Command::Login(login) if login.keyring => |global| Context::open_in(global, Place::Keyring),
        Command::AccessToken(_)
        | Command::Exec(_)
        | Command::Status
        | Command::Token(Token::Show(_)) => Context::open_or_without_store,
        _ => Context::open,
    };
    let context = open(&arguments.global)?;
    match carry_out(&context, arguments).await {
        Ok(()) => Ok(Exit::Done),
        Err(error) => Err(context.explain(error)),
    }
}

async fn carry_out(context: &Context, arguments: &Arguments) -> Result<(), CliError> {
    match &arguments.command {
        Command::Login(login) => login::run(context, login).await,
        Command::AccessToken(wanted) => access_token::run(context, wanted).await,
        Command::Exec(exec) => exec::run(context, exec).await.map(|never| match never {}),
        Command::Status => status::run(context).await,
        Command::Logout(confirmed) => logout::run(context, confirmed).await,
        Command::Token(Token::Show(bearer)) => token::show::run(context, bearer).await,
        Command::Token(Token::Create(create)) => token::create::run(context, create).await,
        Command::Token(Token::Rotate(rotate)) => token::rotate::run(context, rotate).await,
        Command::Token(Token::Delete(delete)) => token::delete::run(context, delete).await,
        Command::Doctor
        | Command::Profile(_)
        | Command::Completions { .. }
        | Command::Man { .. } => Ok(()),
    }
}
