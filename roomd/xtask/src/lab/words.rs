// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What is written in a picture, and where: character recognition by tesseract.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::picture::Picture;

/// A word and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// What it says.
    pub text: String,
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

/// Every word of a picture, in no order; places are shares of its width and height. Pages have bright words on
/// dark ground and dark ones on bright buttons, so it is read twice.
pub fn read(picture: &Picture) -> Result<Vec<Word>> {
    let whole = [0, 0, picture.width, picture.height];
    let mut words = recognise(&picture.negative(whole))?;
    words.extend(recognise(&picture.enlarged(whole, |luma| luma))?);
    Ok(words)
}

fn recognise(pgm: &[u8]) -> Result<Vec<Word>> {
    let file = tempfile::Builder::new().suffix(".pgm").tempfile()?;
    std::fs::write(file.path(), pgm)?;
    let output = Command::new("tesseract")
        .arg(file.path())
        // Words wherever they are, with their places.
        .args(["-", "--psm", "11", "tsv"])
        .output()
        .context("cannot start tesseract")?;
    ensure!(
        output.status.success(),
        "tesseract: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(parse(&String::from_utf8_lossy(&output.stdout)))
}

/// The middle of a phrase whose words stand side by side.
pub fn find(words: &[Word], phrase: &[&str]) -> Option<[f64; 2]> {
    let first = phrase.first()?;
    words
        .iter()
        .filter(|word| word.text == *first)
        .find_map(|start| {
            let last = phrase[1..].iter().try_fold(start, |before, text| {
                words
                    .iter()
                    .find(|word| word.text == *text && word.follows(before))
            })?;
            Some([
                f64::midpoint(start.left, last.left + last.width),
                start.top + start.height / 2.0,
            ])
        })
}

impl Word {
    /// In one line, and no more than a few letters away.
    fn follows(&self, before: &Self) -> bool {
        let gap = self.left - (before.left + before.width);
        let level = (self.top - before.top).abs() < before.height.max(self.height);
        level && gap > 0.0 && gap < before.width
    }
}

/// tesseract's table: its head, the page, then blocks, lines and words.
fn parse(table: &str) -> Vec<Word> {
    const PAGE: &str = "1";
    const WORD: &str = "5";
    let mut page = None;
    let mut words = Vec::new();
    for line in table.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [level, .., left, top, width, height, _, text] = fields[..] else {
            continue;
        };
        let numbers = [left, top, width, height].map(|field| field.parse::<f64>().ok());
        let [Some(left), Some(top), Some(width), Some(height)] = numbers else {
            continue;
        };
        match (level, page) {
            (PAGE, _) => page = Some((width, height)),
            (WORD, Some((whole, high))) if !text.trim().is_empty() => words.push(Word {
                text: text.trim().to_owned(),
                left: left / whole,
                top: top / high,
                width: width / whole,
                height: height / high,
            }),
            _ => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext
1\t1\t0\t0\t0\t0\t0\t0\t1000\t500\t-1\t
5\t1\t1\t1\t1\t1\t100\t400\t50\t20\t96.1\tMit
5\t1\t1\t1\t1\t2\t160\t400\t60\t20\t96.2\tLink
5\t1\t1\t1\t1\t3\t230\t398\t130\t24\t95.0\tbeitreten
5\t1\t2\t1\t1\t1\t400\t100\t80\t20\t96.0\tJetzt
5\t1\t3\t1\t1\t1\t490\t98\t110\t24\t93.0\tbeitreten
";

    #[test]
    fn a_phrase_is_found_where_its_words_stand_together() {
        let words = parse(TABLE);
        let check = |phrase: &[&str], expected: Option<[i32; 2]>| {
            let percent = |share: f64| (share * 100.0).round() as i32;
            let place = find(&words, phrase).map(|place| place.map(percent));
            assert_eq!(place, expected, "{phrase:?}");
        };
        assert_eq!(words.len(), 5);
        check(&["Jetzt", "beitreten"], Some([50, 22]));
        check(&["Link", "beitreten"], Some([26, 82]));
        check(&["Mit"], Some([13, 82]));
        check(&["Mit", "beitreten"], None);
        check(&["Link", "Jetzt"], None);
        check(&[], None);
    }
}
