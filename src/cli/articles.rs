//! Reads articles from files, as `classify` and `adapt` take them.

use crate::article::{Article, Pointers};
use crate::text::decode;
use anyhow::Context;
use std::path::{Path, PathBuf};

/// Several objects, one a line; one object over several lines is one article.
pub fn is_json_lines(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let (Some(first), Some(second)) = (lines.next(), lines.next()) else { return false };
    let is_object = |line: &str| line.trim_start().starts_with('{') && line.trim_end().ends_with('}');
    is_object(first) && second.trim_start().starts_with('{')
}

/// The files under `paths`, folders deep, in the order of their names. Hidden ones are left out.
pub fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    fn list(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
        if !std::fs::metadata(path)?.is_dir() {
            files.push(path.to_owned());
            return Ok(());
        }
        let mut inside: Vec<PathBuf> =
            std::fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
        inside.retain(|path| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')));
        inside.sort();
        inside.iter().try_for_each(|path| list(path, files))
    }
    let mut files = Vec::new();
    for path in paths {
        list(path, &mut files).with_context(|| path.display().to_string())?;
    }
    Ok(files)
}

/// Calls `each` for every article of `file`; says on stderr which cannot be read and returns how many.
pub fn each(file: &Path, mut each: impl FnMut(&Article<'_>)) -> anyhow::Result<usize> {
    let name = file.display().to_string();
    let bytes = std::fs::read(file).with_context(|| name.clone())?;
    let text = match decode(&bytes, None) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("rasid: {name}: {error}");
            return Ok(1);
        }
    };
    let mut refused = 0;
    let mut read = |place: String, input: &str| match Article::read(input, &Pointers::default()) {
        Ok(article) => each(&article),
        Err(rejection) => {
            refused += 1;
            eprintln!("rasid: {place}: {rejection}");
        }
    };
    // one line is an article too; a file of several is JSON Lines as soon as its second line is an object
    if is_json_lines(&text) {
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            read(format!("{name}:{}", index + 1), line);
        }
    } else if !text.trim().is_empty() {
        read(name, &text);
    }
    Ok(refused)
}
