// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the test found, and what to think of it.

use roomd_model::Language;
use serde::{Deserialize, Serialize};

use super::texts;

/// What to think of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Calls work, and would be better otherwise.
    Doubtful,
    /// Calls will suffer.
    Bad,
}

/// A figure and its verdict. The unit is in the name of the figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// The value, rounded to a tenth.
    pub value: f64,
    /// What to think of it.
    pub verdict: Verdict,
}

/// Why figures are missing or not to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// The microphone stopped while the test ran, or never began.
    MicrophoneGone,
    /// The loudspeaker could not be played on.
    LoudspeakerGone,
    /// The microphone delivers nothing but silence, not even its own noise.
    MicrophoneSilent,
    /// Samples at the end of the scale: what is heard is distorted.
    Clipping,
    /// The microphone hears nothing of the loudspeaker.
    NotHeard,
    /// Something is heard, but not the test within three seconds.
    NotRecognised,
    /// The room is too noisy to hear the test.
    TooNoisy,
    /// Sound was lost or inserted between the two marks.
    Interrupted,
}

impl Problem {
    /// Every problem.
    pub const ALL: [Self; 8] = [
        Self::MicrophoneGone,
        Self::LoudspeakerGone,
        Self::MicrophoneSilent,
        Self::Clipping,
        Self::NotHeard,
        Self::NotRecognised,
        Self::TooNoisy,
        Self::Interrupted,
    ];
}

/// What a test found. A figure is missing where it could not be measured.
///
/// Levels in dBFS relate to the root mean square of a sine of full scale (AES17); 0 dBm0 of the
/// telephone is -3.1 dBFS (ITU-T G.711), 0 dBov is +3 dBFS. They are not weighted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// What is wrong, beside the figures.
    pub problems: Vec<Problem>,
    /// From what is handed to the loudspeaker to what comes from the microphone, with the buffers of
    /// both.
    pub delay_ms: Option<Figure>,
    /// The level of the noise sequence at the microphone, without the room's noise.
    pub heard_dbfs: Option<Figure>,
    /// The level of the room without the test.
    pub noise_dbfs: Option<Figure>,
    /// Echo return loss (ITU-T G.168, `A_ECHO`): the played level less the level of its echo.
    pub echo_return_loss_db: Option<Figure>,
    /// Echo return loss enhancement (ITU-T G.168, `A_CANC`): the level of the echo less what is left
    /// after the canceller. What is left has noise in it, so the truth is this or more.
    pub echo_return_loss_enhancement_db: Option<Figure>,
    /// By how much the microphone's clock is faster than the loudspeaker's.
    pub drift_ppm: Option<Figure>,
}

/// A line of the outcome, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Code for operators, such as `self-test-delay`.
    pub code: &'static str,
    /// What to think of it.
    pub verdict: Verdict,
    /// What was found.
    pub text: String,
    /// What to do about it; empty when there is nothing to do.
    pub remedy: &'static str,
}

/// Which figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Delay,
    Heard,
    Noise,
    Loss,
    Enhancement,
    Drift,
}

impl Outcome {
    /// Only a problem.
    pub(super) fn of(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
            ..Self::default()
        }
    }

    pub(super) const fn figures(&self) -> [(Kind, Option<Figure>); 6] {
        [
            (Kind::Delay, self.delay_ms),
            (Kind::Heard, self.heard_dbfs),
            (Kind::Noise, self.noise_dbfs),
            (Kind::Loss, self.echo_return_loss_db),
            (Kind::Enhancement, self.echo_return_loss_enhancement_db),
            (Kind::Drift, self.drift_ppm),
        ]
    }

    /// The worst of all; a problem is bad.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let figures = self.figures().into_iter().filter_map(|(_, figure)| figure);
        let worst = figures.map(|figure| figure.verdict).max();
        match worst {
            Some(verdict) if self.problems.is_empty() => verdict,
            Some(_) | None => Verdict::Bad,
        }
    }

    /// In words, problems first.
    #[must_use]
    pub fn lines(&self, language: Language) -> Vec<Line> {
        let problems = self.problems.iter().map(|problem| Line {
            code: texts::code_of_problem(*problem),
            verdict: Verdict::Bad,
            text: texts::problem(language, *problem).to_owned(),
            remedy: texts::remedy_of_problem(language, *problem),
        });
        let figures = self.figures().into_iter().filter_map(|(kind, figure)| {
            let figure = figure?;
            Some(Line {
                code: texts::code_of_figure(kind),
                verdict: figure.verdict,
                text: texts::figure(language, kind, figure.value),
                remedy: texts::remedy_of_figure(language, kind, figure),
            })
        });
        problems.chain(figures).collect()
    }
}

impl Figure {
    fn new(value: f64, verdict: Verdict) -> Self {
        // Nobody reads "-0.0".
        let value = (value * 10.0).round() / 10.0 + 0.0;
        Self { value, verdict }
    }

    fn at_most(value: f64, good: f64, doubtful: f64) -> Self {
        Self::new(value, up_to(value, good, doubtful))
    }

    /// 150 ms is what people do not notice in a call, end to end (ITU-T G.114); both directions through
    /// this room must leave something for the network. The room's canceller looks 500 ms back by
    /// itself (AEC3: five filters of 128 ms, 96 ms apart).
    pub(super) fn delay_ms(value: f64) -> Self {
        Self::at_most(value, 150.0, 500.0)
    }

    /// Against the noise: 20 dB above it every other figure is right to a tenth of a decibel, below 6 dB
    /// the loudspeaker is as good as not heard.
    pub(super) fn heard_dbfs(value: f64, noise: f64) -> Self {
        Self::new(value, up_to(noise - value, -20.0, -6.0))
    }

    /// -64 dBm0 is the most noise that a telephone may send (3GPP TS 03.50, section 3.6.1), which is
    /// -67 dBFS, weighted and in a silent chamber; a real room and no weighting get 7 dB. Speech at its
    /// proper level of -23 dBFS is 22 dB above -45 dBFS; with more noise every word is heard with it.
    pub(super) fn noise_dbfs(value: f64) -> Self {
        Self::at_most(value, -60.0, -45.0)
    }

    /// Echo cancellers are made for echo that is at least 6 dB below what caused it (ITU-T G.168); with
    /// echo louder than that by 12 dB, who speaks in the room is below the echo, and is cut off.
    pub(super) fn echo_return_loss_db(value: f64) -> Self {
        Self::at_most(-value, -6.0, 6.0).negated()
    }

    /// By what loss and enhancement make together (`A_COM`): at least 46 dB while one side speaks (3GPP
    /// TS 26.132, section 8.7.1); with less than 30 dB echo is heard beside speech. An echo that the
    /// noise hides cannot be heard.
    pub(super) fn enhancement_db(value: f64, loss: f64, hidden: bool) -> Self {
        let verdict = if hidden {
            Verdict::Good
        } else {
            up_to(-(value + loss), -46.0, -30.0)
        };
        Self::new(value, verdict)
    }

    /// 50 ppm is what a terminal's clock may be off (3GPP TS 26.131, clock accuracy); the room's
    /// canceller follows up to 500 ppm.
    pub(super) fn drift_ppm(value: f64) -> Self {
        Self::new(value, up_to(value.abs(), 50.0, 500.0))
    }

    const fn negated(self) -> Self {
        Self {
            value: -self.value,
            verdict: self.verdict,
        }
    }
}

fn up_to(value: f64, good: f64, doubtful: f64) -> Verdict {
    if value <= good {
        Verdict::Good
    } else if value <= doubtful {
        Verdict::Doubtful
    } else {
        Verdict::Bad
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn verdicts_follow_the_limits() {
        use Verdict::{Bad, Doubtful, Good};
        let check = |figures: [Figure; 3]| {
            assert_eq!(figures.map(|f| f.verdict), [Good, Doubtful, Bad]);
        };
        check([150.0, 150.1, 500.1].map(Figure::delay_ms));
        check([-60.0, -59.9, -44.9].map(Figure::noise_dbfs));
        check([6.0, 5.9, -6.1].map(Figure::echo_return_loss_db));
        check([-50.0, 50.1, -500.1].map(Figure::drift_ppm));
        check([-40.0, -41.0, -54.1].map(|v| Figure::heard_dbfs(v, -60.0)));
        check([36.0, 35.9, 19.9].map(|v| Figure::enhancement_db(v, 10.0, false)));
        assert_eq!(Figure::enhancement_db(5.0, 10.0, true).verdict, Good);
        assert_eq!(Figure::echo_return_loss_db(11.97).value, 12.0);
    }

    fn full(verdict: Verdict) -> Outcome {
        let figure = Some(Figure {
            value: -12.5,
            verdict,
        });
        Outcome {
            problems: Vec::new(),
            delay_ms: figure,
            heard_dbfs: figure,
            noise_dbfs: figure,
            echo_return_loss_db: figure,
            echo_return_loss_enhancement_db: figure,
            drift_ppm: figure,
        }
    }

    #[test]
    fn the_worst_counts() {
        assert_eq!(full(Verdict::Good).verdict(), Verdict::Good);
        let mut outcome = full(Verdict::Good);
        outcome.drift_ppm = Some(Figure::drift_ppm(60.0));
        assert_eq!(outcome.verdict(), Verdict::Doubtful);
        outcome.problems.push(Problem::Clipping);
        assert_eq!(outcome.verdict(), Verdict::Bad);
        assert_eq!(Outcome::default().verdict(), Verdict::Bad);
    }

    #[test]
    fn everything_has_words_and_what_is_not_good_a_remedy() {
        for language in [Language::De, Language::En] {
            let mut codes = BTreeSet::new();
            let mut outcome = full(Verdict::Bad);
            outcome.problems = Problem::ALL.to_vec();
            let lines = outcome.lines(language);
            assert_eq!(lines.len(), 14);
            for line in lines {
                assert!(line.text.ends_with('.'), "{line:?}");
                assert!(line.remedy.ends_with('.'), "{line:?}");
                assert!(codes.insert(line.code), "{line:?}");
            }
            let good = full(Verdict::Good).lines(language);
            assert!(good.iter().all(|line| line.remedy.is_empty()));
        }
        let german = full(Verdict::Good).lines(Language::De);
        assert!(german[0].text.contains("-12,5 ms"), "{german:?}");
    }

    #[test]
    fn it_is_written_and_read() {
        let mut outcome = full(Verdict::Doubtful);
        outcome.problems.push(Problem::NotHeard);
        outcome.drift_ppm = None;
        let text = toml::to_string(&outcome).unwrap();
        assert!(text.contains("problems = [\"not-heard\"]"), "{text}");
        assert!(text.contains("[echo_return_loss_db]\nvalue = -12.5\nverdict = \"doubtful\""));
        assert_eq!(toml::from_str::<Outcome>(&text).unwrap(), outcome);
    }
}
