//! `rasid completions` and `rasid man`: what packagers install beside the binary.

use clap::CommandFactory;
use std::io::Write;
use std::path::PathBuf;

/// Print the completions of a shell
#[derive(clap::Args)]
#[command(after_help = "Examples:
  rasid completions bash > /etc/bash_completion.d/rasid
  rasid completions zsh > /usr/local/share/zsh/site-functions/_rasid
  rasid completions fish > ~/.config/fish/completions/rasid.fish")]
pub struct Completions {
    /// Which shell
    shell: clap_complete::Shell,
}

/// Print the man page, or write one for each verb
#[derive(clap::Args)]
#[command(after_help = "Examples:
  rasid man | man -l -
  rasid man --out /usr/local/share/man/man1")]
pub struct Man {
    /// Folder to write rasid.1 and a page for each verb to
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

pub fn completions(args: &Completions) -> anyhow::Result<()> {
    // the generator panics where it cannot write, so it writes to memory
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "rasid", &mut script);
    Ok(std::io::stdout().lock().write_all(&script)?)
}

pub fn man(args: &Man) -> anyhow::Result<()> {
    let mut command = super::Cli::command();
    command.build();
    let Some(folder) = &args.out else {
        return Ok(clap_mangen::Man::new(command).render(&mut std::io::stdout().lock())?);
    };
    let mut pages = vec![("rasid".to_owned(), command)];
    while let Some((name, command)) = pages.pop() {
        let verbs = command.get_subcommands().filter(|verb| verb.get_name() != "help");
        pages.extend(verbs.map(|verb| (format!("{name}-{}", verb.get_name()), verb.clone())));
        let mut page = Vec::new();
        // whatever the program is called in the page, its place is `man rasid-run`
        clap_mangen::Man::new(command).title(name.to_uppercase()).render(&mut page)?;
        super::write_atomically(&folder.join(format!("{name}.1")), |file| file.write_all(&page))?;
    }
    Ok(())
}
