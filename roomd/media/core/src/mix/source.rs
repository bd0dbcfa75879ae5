// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The queue of one source, as long as its sound comes unevenly and no longer.
//!
//! When the queue has more than it needs, pieces of sound are left out, and when it has less, they are
//! repeated: pieces after which the sound goes on as it was, one at a time, and in silence the most.
//! What a queue needs follows from what it had left whenever sound came. Clocks that differ are the
//! same to it. Only a queue that is longer than sound can be shortened unheard loses its oldest part
//! at once. A queue that runs out goes on with its last sound and fades.

use super::slack::Slack;
use super::stamps::Stamps;
use super::stretch::{self, LONGEST, SHORTEST, Tail, between, faded, most_alike};
use super::{BLOCK, PREFILL, rms};

/// What a source may queue when a block is played: 600 ms. More has no use in a conversation.
pub(super) const LIMIT: usize = 60 * BLOCK;
/// What it may queue between two blocks.
pub(super) const CAPACITY: usize = 2 * LIMIT;
/// What stays of a queue that is longer.
pub(super) const KEPT: usize = 6 * BLOCK;
/// A queue that had less left than this gets longer, 10 ms: what comes just after a block instead of
/// just before it finds a block less.
const LEAST: usize = BLOCK;
/// A queue that had more left than this gets shorter, down to the least, 25 ms: a piece more than the
/// least, so that no change calls for its reverse.
const MOST: usize = LEAST + LONGEST;
/// For so many blocks after that, what comes is of the same burst: twice what stays is too much.
const BURST: u8 = 20;
/// Played sound that is kept: what a tail is made of.
const HISTORY: usize = 1440;
/// Over so much sound comes back after it ran out.
const RETURN: usize = BLOCK / 2;
/// Sound that came back is left as it is until none of the tail is left within a piece's reach.
const RETURNED: usize = 3 * BLOCK;

/// How alike sound is to be at best, and how much less with every block in which it was not.
const ALIKE: f32 = 0.9;
const PATIENCE: f32 = 0.01;
/// A surplus is small below the first, and large above the second: 100 and 250 ms.
const SMALL: usize = 10 * BLOCK;
const LARGE: usize = 25 * BLOCK;
/// After a piece, so many times its length is played as it is: at most 8 % of the time is changed,
/// and 12 or 20 % while the surplus is no longer small.
const PACE: [usize; 3] = [12, 8, 5];

/// Below -57 dBFS, or this part of how loud the source was lately, there is nothing but noise.
const QUIET: f32 = 46.0;
const QUIET_PART: f32 = 0.05;
/// What is left of how loud a source was after each block.
const MEMORY: f32 = 0.998;

/// What was done to sound so that it fits, in samples since its source was added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fitted {
    /// Put in, by repeating what was like it.
    pub stretched: u64,
    /// Taken out, because what followed was like it.
    pub compressed: u64,
    /// Left out at once.
    pub skipped: u64,
    /// Time in which sound was due that came later.
    pub missing: u64,
}

impl Fitted {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            stretched: self.stretched.saturating_add(other.stretched),
            compressed: self.compressed.saturating_add(other.compressed),
            skipped: self.skipped.saturating_add(other.skipped),
            missing: self.missing.saturating_add(other.missing),
        }
    }

    /// What was added to an earlier total; nothing where it is of a source that is gone.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self {
            stretched: self.stretched.saturating_sub(earlier.stretched),
            compressed: self.compressed.saturating_sub(earlier.compressed),
            skipped: self.skipped.saturating_sub(earlier.skipped),
            missing: self.missing.saturating_sub(earlier.missing),
        }
    }
}

/// A source.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// What was played last, and what is still to be played.
    sound: Vec<i16>,
    /// Where the latter begins.
    next: usize,
    state: State,
    stamps: Stamps,
    slack: Slack,
    /// Since the queue ran out.
    gap: Option<Gap>,
    /// Samples until the next change.
    rest: usize,
    /// It had too much left, and still has more than the least.
    shortens: bool,
    /// Blocks in which no sound was alike enough.
    tries: u16,
    /// Blocks for which what comes belongs to a burst.
    burst: u8,
    /// How loud it was lately.
    loud: f32,
    level: u8,
    fitted: Fitted,
}

#[derive(Debug, Default)]
enum State {
    /// Too little is queued.
    #[default]
    Waiting,
    Playing,
    /// The queue ran out.
    RunOut(Tail),
}

/// Time without sound.
#[derive(Debug, Default)]
struct Gap {
    samples: usize,
    /// Whether nothing was sent, as its media time tells; none while nothing has come.
    silence: Option<bool>,
    /// Whether more came at once than is played.
    skipped: bool,
}

impl Source {
    /// Queues samples, the first of which is of this media time.
    pub(super) fn push(&mut self, samples: &[i16], media: Option<u64>) {
        let surplus = samples.len().saturating_sub(LIMIT);
        let (samples, media) = (
            &samples[surplus..],
            media.map(|media| media.saturating_add(surplus as u64)),
        );
        if samples.is_empty() {
            return;
        }
        self.fitted.skipped += surplus as u64;
        self.arrived(media);
        if let Some(media) = media {
            self.stamps.note(self.sound.len(), media);
        }
        self.sound.extend_from_slice(samples);
        if self.queued() > CAPACITY {
            self.skip();
        }
    }

    /// What is queued, in samples.
    pub(super) const fn queued(&self) -> usize {
        self.sound.len() - self.next
    }

    /// The media time of the next sample that is played.
    pub(super) fn playing(&self) -> Option<u64> {
        self.plays().then(|| self.stamps.at(self.next)).flatten()
    }

    /// Whether the next block has sound.
    const fn plays(&self) -> bool {
        matches!(self.state, State::Playing) || self.queued() >= PREFILL
    }

    pub(super) const fn level(&self) -> u8 {
        self.level
    }

    pub(super) const fn fitted(&self) -> Fitted {
        self.fitted
    }

    /// Adds its next block.
    pub(super) fn add_to(&mut self, sum: &mut [f32; BLOCK]) {
        self.slack.tick();
        self.burst = self.burst.saturating_sub(1);
        if self.queued() > LIMIT || (self.burst > 0 && self.queued() > 2 * KEPT) {
            self.skip();
        }
        let mut taken = 0;
        if self.plays() {
            self.resume();
            self.fit();
            taken = BLOCK.min(self.queued());
        }
        let block = &self.sound[self.next..self.next + taken];
        let loud = rms(block);
        self.level = super::loudness(loud);
        self.loud = loud.max(self.loud * MEMORY);
        for (out, sample) in sum.iter_mut().zip(block) {
            *out += f32::from(*sample) / 32768.0;
        }
        self.next += taken;
        if taken < BLOCK {
            self.run_out(&mut sum[taken..]);
        }
        if self.next >= 2 * HISTORY {
            let gone = self.next - HISTORY;
            self.sound.drain(..gone);
            self.stamps.forget(gone);
            self.next = HISTORY;
        }
    }

    /// Notes that sound comes.
    fn arrived(&mut self, media: Option<u64>) {
        if let Some(gap) = &mut self.gap {
            // Of what was sent all along, the media time goes on where it was.
            let expected = self.stamps.at(self.sound.len());
            let jumps = |(media, expected): (u64, u64)| media.abs_diff(expected) > BLOCK as u64;
            let silence = media.zip(expected).is_some_and(jumps);
            gap.silence.get_or_insert(silence);
        } else if matches!(self.state, State::Playing) {
            self.slack.note(self.queued());
        }
    }

    /// Plays what is queued, after what was heard last.
    fn resume(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Playing);
        let Some(gap) = self.gap.take() else {
            // Sound that begins is as its sender wants it.
            return;
        };
        match state {
            State::RunOut(tail) => tail.merge(&mut self.sound, self.next, RETURN),
            State::Waiting | State::Playing => {
                for (step, sample) in self.sound[self.next..].iter_mut().take(RETURN).enumerate() {
                    *sample = between(0, *sample, faded(step, RETURN));
                }
            }
        }
        self.rest = self.rest.max(RETURNED);
        if gap.silence == Some(true) {
            self.slack = Slack::default();
        } else {
            self.fitted.missing += gap.samples as u64;
            // What was late and is skipped is not what the queue has to be long for.
            if !gap.skipped {
                self.slack.shift(gap.samples as i64);
                self.slack.note(0);
            }
        }
    }

    /// Goes on without sound.
    fn run_out(&mut self, sum: &mut [f32]) {
        if matches!(self.state, State::Playing) {
            self.state = State::RunOut(Tail::new(&self.sound, self.next));
            self.gap = Some(Gap::default());
        }
        if let Some(gap) = &mut self.gap {
            gap.samples = gap.samples.saturating_add(sum.len());
        }
        let State::RunOut(tail) = &mut self.state else {
            return;
        };
        let (begin, count) = (self.next, sum.len());
        let made = tail.extend(&mut self.sound, begin, count);
        for (out, (sample, gain)) in sum.iter_mut().zip(made) {
            *out += f32::from(sample) / 32768.0 * gain;
        }
        self.stamps.splice(begin, 0, count, begin + count);
        self.next += count;
        if tail.is_over() {
            self.state = State::Waiting;
        }
    }

    /// Changes the queue's length where it is wrong and nobody hears it.
    fn fit(&mut self) {
        self.rest = self.rest.saturating_sub(BLOCK);
        if self.rest > 0 {
            return;
        }
        let Some(left) = self.slack.least() else {
            return;
        };
        let left = usize::try_from(left).unwrap_or(0);
        self.shortens &= left >= LEAST + SHORTEST;
        self.shortens |= left > MOST && self.slack.is_settled();
        if self.shortens {
            self.shorten(left - LEAST);
        } else if left < LEAST {
            self.lengthen();
        }
    }

    fn shorten(&mut self, surplus: usize) {
        let queued = self.queued();
        let longest = LONGEST.min(surplus).min(queued / 2);
        let longest = longest.min(queued.saturating_sub(BLOCK));
        if longest < SHORTEST {
            return;
        }
        let next = self.next;
        let quiet = self.is_quiet(next, next + 2 * longest);
        let pace = usize::from(surplus >= SMALL) + usize::from(surplus >= LARGE);
        let piece = if quiet {
            Some(longest)
        } else {
            let places = next + SHORTEST..=next + longest;
            let found = most_alike(&self.sound, next, places, queued - longest);
            self.chosen(found, 1 + pace as u16)
                .map(|place| place - next)
        };
        if let Some(piece) = piece {
            stretch::cut(&mut self.sound, next, piece, piece);
            self.stamps.splice(next, piece, 0, next + piece / 2);
            self.slack.shift(-(piece as i64));
            self.fitted.compressed += piece as u64;
            // In silence there is no need to wait for the next one.
            self.rest = if quiet { 0 } else { piece * PACE[pace] };
        } else if surplus <= LONGEST {
            // The last bit is not worth what would be heard.
            (self.shortens, self.tries) = (false, 0);
        }
    }

    fn lengthen(&mut self) {
        let (next, queued) = (self.next, self.queued());
        let longest = LONGEST.min(queued).min(next);
        if longest < SHORTEST {
            return;
        }
        let quiet = self.is_quiet(next - longest, next + longest);
        let piece = if quiet {
            Some(longest.min(BLOCK))
        } else {
            let places = next - longest..=next - SHORTEST;
            let found = most_alike(&self.sound, next, places, queued);
            self.chosen(found, 1).map(|place| next - place)
        };
        if let Some(piece) = piece {
            stretch::repeat(&mut self.sound, next, piece);
            self.stamps.splice(next, 0, piece, next + piece / 2);
            self.slack.shift(piece as i64);
            self.fitted.stretched += piece as u64;
            self.rest = piece * PACE[0];
        }
    }

    /// The place that was found, if it is alike enough. Less is enough the longer there was none:
    /// music and noise are never more alike.
    fn chosen(&mut self, found: Option<stretch::Match>, haste: u16) -> Option<usize> {
        let wanted = ALIKE - PATIENCE * f32::from(self.tries);
        let chosen = found.filter(|found| found.likeness >= wanted);
        if chosen.is_some() {
            self.tries = 0;
        } else {
            self.tries = self.tries.saturating_add(haste);
        }
        chosen.map(|found| found.at)
    }

    fn is_quiet(&self, from: usize, to: usize) -> bool {
        let sound = self.sound.get(from..to).unwrap_or_default();
        rms(sound) < QUIET.max(self.loud * QUIET_PART)
    }

    /// Leaves the oldest out, down to what is kept.
    fn skip(&mut self) {
        let (next, surplus) = (self.next, self.queued() - KEPT);
        let (count, fade) = if matches!(self.state, State::Playing) {
            let places = next + surplus - LONGEST..=next + surplus;
            let found = most_alike(&self.sound, next, places, BLOCK);
            (found.map_or(surplus, |found| found.at - next), BLOCK)
        } else {
            (surplus, 0)
        };
        stretch::cut(&mut self.sound, next, count, fade);
        self.stamps.splice(next, count, 0, next + fade / 2);
        self.fitted.skipped += count as u64;
        self.slack = Slack::default();
        if let Some(gap) = &mut self.gap {
            gap.skipped = true;
        }
        (self.rest, self.shortens, self.tries, self.burst) = (0, false, 0, BURST);
    }
}
