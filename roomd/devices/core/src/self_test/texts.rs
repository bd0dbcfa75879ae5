// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use roomd_model::Language;

use super::outcome::{Figure, Kind, Problem, Verdict};

pub(super) const fn code_of_problem(problem: Problem) -> &'static str {
    match problem {
        Problem::MicrophoneGone => "self-test-microphone-gone",
        Problem::LoudspeakerGone => "self-test-loudspeaker-gone",
        Problem::MicrophoneSilent => "self-test-microphone-silent",
        Problem::Clipping => "self-test-clipping",
        Problem::NotHeard => "self-test-not-heard",
        Problem::NotRecognised => "self-test-not-recognised",
        Problem::TooNoisy => "self-test-too-noisy",
        Problem::Interrupted => "self-test-interrupted",
    }
}

pub(super) const fn code_of_figure(kind: Kind) -> &'static str {
    match kind {
        Kind::Delay => "self-test-delay",
        Kind::Heard => "self-test-heard",
        Kind::Noise => "self-test-noise",
        Kind::Loss => "self-test-echo-return-loss",
        Kind::Enhancement => "self-test-echo-return-loss-enhancement",
        Kind::Drift => "self-test-drift",
    }
}

pub(super) const fn problem(language: Language, problem: Problem) -> &'static str {
    match language {
        Language::De => german_problem(problem),
        Language::En => english_problem(problem),
    }
}

const fn german_problem(problem: Problem) -> &'static str {
    match problem {
        Problem::MicrophoneGone => "Das Mikrofon liefert während des Tests nichts mehr.",
        Problem::LoudspeakerGone => "Auf dem Lautsprecher lässt sich nichts abspielen.",
        Problem::MicrophoneSilent => "Das Mikrofon liefert nur Stille, nicht einmal Rauschen.",
        Problem::Clipping => "Das Mikrofon ist übersteuert.",
        Problem::NotHeard => "Das Mikrofon hört den Lautsprecher nicht.",
        Problem::NotRecognised => {
            "Das Mikrofon hört etwas, aber innerhalb von drei Sekunden nicht das Testsignal."
        }
        Problem::TooNoisy => "Im Raum ist es zu laut für den Test.",
        Problem::Interrupted => "Der Ton war während des Tests unterbrochen.",
    }
}

const fn english_problem(problem: Problem) -> &'static str {
    match problem {
        Problem::MicrophoneGone => "The microphone stopped during the test.",
        Problem::LoudspeakerGone => "Nothing can be played on the loudspeaker.",
        Problem::MicrophoneSilent => "The microphone delivers only silence, not even noise.",
        Problem::Clipping => "The microphone is overdriven.",
        Problem::NotHeard => "The microphone does not hear the loudspeaker.",
        Problem::NotRecognised => {
            "The microphone hears something, but not the test signal within three seconds."
        }
        Problem::TooNoisy => "The room is too noisy for the test.",
        Problem::Interrupted => "The sound was interrupted during the test.",
    }
}

pub(super) const fn remedy_of_problem(language: Language, problem: Problem) -> &'static str {
    match language {
        Language::De => german_remedy_of_problem(problem),
        Language::En => english_remedy_of_problem(problem),
    }
}

const fn german_remedy_of_problem(problem: Problem) -> &'static str {
    match problem {
        Problem::MicrophoneGone => "Bitte Kabel des Mikrofons prüfen und den Test wiederholen.",
        Problem::LoudspeakerGone => "Bitte Kabel und Stromversorgung des Lautsprechers prüfen.",
        Problem::MicrophoneSilent => "Bitte die Stummtaste am Mikrofon und sein Kabel prüfen.",
        Problem::Clipping => {
            "Bitte Mikrofon oder Lautsprecher leiser stellen, oder weiter auseinander."
        }
        Problem::NotHeard => {
            "Bitte prüfen, ob der Lautsprecher eingeschaltet und laut genug ist und ob er der eingestellte ist."
        }
        Problem::NotRecognised => {
            "Bitte Klangeffekte von Lautsprecher und Bildschirm ausschalten und den Test in Ruhe wiederholen."
        }
        Problem::TooNoisy => {
            "Bitte Fenster schließen, Lüfter leiser stellen und den Test in Ruhe wiederholen."
        }
        Problem::Interrupted => {
            "Bitte die Geräte direkt statt über einen Hub anschließen und den Test wiederholen."
        }
    }
}

const fn english_remedy_of_problem(problem: Problem) -> &'static str {
    match problem {
        Problem::MicrophoneGone => "Please check the cable of the microphone and repeat the test.",
        Problem::LoudspeakerGone => "Please check cable and power of the loudspeaker.",
        Problem::MicrophoneSilent => "Please check the mute key of the microphone, and its cable.",
        Problem::Clipping => {
            "Please turn down microphone or loudspeaker, or put them further apart."
        }
        Problem::NotHeard => {
            "Please check that the loudspeaker is on, loud enough, and the configured one."
        }
        Problem::NotRecognised => {
            "Please turn off sound effects of loudspeaker and display, and repeat the test in silence."
        }
        Problem::TooNoisy => {
            "Please close windows, turn down fans, and repeat the test in silence."
        }
        Problem::Interrupted => {
            "Please plug the devices in directly, not into a hub, and repeat the test."
        }
    }
}

pub(super) fn figure(language: Language, kind: Kind, value: f64) -> String {
    let number = format!("{value:.1}");
    match language {
        Language::De => {
            let number = number.replace('.', ",");
            match kind {
                Kind::Delay => {
                    format!("Vom Lautsprecher bis zum Mikrofon braucht der Ton {number} ms.")
                }
                Kind::Heard => format!("Das Mikrofon hört den Lautsprecher mit {number} dBFS."),
                Kind::Noise => format!("Das Geräusch im Raum liegt bei {number} dBFS."),
                Kind::Loss => format!("Das Echo ist {number} dB leiser als der Lautsprecher."),
                Kind::Enhancement => {
                    format!("Die Echounterdrückung nimmt mindestens {number} dB weg.")
                }
                Kind::Drift => {
                    format!("Die Uhren von Mikrofon und Lautsprecher weichen um {number} ppm ab.")
                }
            }
        }
        Language::En => match kind {
            Kind::Delay => format!("Sound takes {number} ms from loudspeaker to microphone."),
            Kind::Heard => format!("The microphone hears the loudspeaker at {number} dBFS."),
            Kind::Noise => format!("The noise of the room is at {number} dBFS."),
            Kind::Loss => format!("The echo is {number} dB quieter than what is played."),
            Kind::Enhancement => format!("Echo cancellation takes off at least {number} dB."),
            Kind::Drift => {
                format!("The clocks of microphone and loudspeaker differ by {number} ppm.")
            }
        },
    }
}

pub(super) const fn remedy_of_figure(
    language: Language,
    kind: Kind,
    figure: Figure,
) -> &'static str {
    match (figure.verdict, language) {
        (Verdict::Good, _) => "",
        (Verdict::Doubtful | Verdict::Bad, Language::De) => german_remedy_of_figure(kind),
        (Verdict::Doubtful | Verdict::Bad, Language::En) => english_remedy_of_figure(kind),
    }
}

const fn german_remedy_of_figure(kind: Kind) -> &'static str {
    match kind {
        Kind::Delay => {
            "Bitte Klangeffekte des Bildschirms ausschalten (Spielemodus), oder einen Lautsprecher direkt anschließen."
        }
        Kind::Heard => "Bitte den Lautsprecher lauter stellen.",
        Kind::Noise => "Bitte Lüfter und Geräte beim Mikrofon leiser stellen oder es versetzen.",
        Kind::Loss => "Bitte den Lautsprecher leiser stellen, oder weiter weg vom Mikrofon.",
        Kind::Enhancement => {
            "Bitte den Lautsprecher leiser stellen und den Test in Ruhe wiederholen; ein Gerät, das Mikrofon und Lautsprecher ist, hat am wenigsten Echo."
        }
        Kind::Drift => {
            "Bitte Mikrofon und Lautsprecher desselben Geräts verwenden, sie haben eine gemeinsame Uhr."
        }
    }
}

const fn english_remedy_of_figure(kind: Kind) -> &'static str {
    match kind {
        Kind::Delay => {
            "Please turn off sound effects of the display (game mode), or plug in a loudspeaker directly."
        }
        Kind::Heard => "Please turn up the loudspeaker.",
        Kind::Noise => "Please turn down fans and devices near the microphone, or move it.",
        Kind::Loss => "Please turn down the loudspeaker, or move it away from the microphone.",
        Kind::Enhancement => {
            "Please turn down the loudspeaker and repeat the test in silence; a device that is microphone and loudspeaker has the least echo."
        }
        Kind::Drift => {
            "Please use microphone and loudspeaker of the same device, which have one clock."
        }
    }
}
