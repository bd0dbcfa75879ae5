// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The mixer, with loudspeakers that take everything, nothing more, or nobody.

use roomd_media_core::plan::AudioEncode;

use super::*;

const STREAM: StreamId = StreamId(1);

/// Plays a steady value at half the volume; returns what the canceller is told.
fn played(loudspeaker: Loudspeaker, patience: Duration) -> Vec<(Samples, Instant)> {
    gstreamer::init().unwrap();
    let (voice, mut next) = Voice::overheard(patience);
    let (news, _news) = mpsc::channel(16);
    let sound = Sound::start(loudspeaker, voice, news).unwrap();
    sound.add(STREAM);
    sound.volume(50);
    let feeder = sound.clone();
    let feed = std::thread::spawn(move || {
        // Until the mixer is told to stop.
        while feeder
            .0
            .send(Request::Push(STREAM, vec![8000; BLOCK], None))
            .is_ok()
        {
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    let told = std::iter::from_fn(&mut next).take(100).collect();
    sound.stop();
    feed.join().unwrap();
    told
}

#[test]
fn the_canceller_is_told_what_is_played_volume_and_all() {
    let told = played(
        Loudspeaker::Device("null".to_owned()),
        Duration::from_secs(10),
    );
    assert_eq!(told.len(), 100);
    let loud = told
        .iter()
        .filter(|(block, _)| block[0] == 2000 || block[0] == 1999);
    assert!(loud.count() > 60, "{told:?}");
    let steady = told
        .windows(2)
        .filter(|pair| pair[1].1 - pair[0].1 == Duration::from_millis(10));
    assert!(steady.count() > 90, "the times are those of the blocks");
}

#[test]
fn blocks_keep_their_distance_also_before_the_loudspeaker_began() {
    let (began, ms) = (Instant::now(), gstreamer::ClockTime::from_mseconds);
    let block = |n: u32| began + Duration::from_millis(10) * n;
    let stamps = [0, 1, 5].map(|n| stamp(block(n), (block(2), ms(100))));
    assert_eq!(stamps, [ms(80), ms(90), ms(130)]);
    assert_eq!(stamp(block(0), (block(2), ms(5))), ms(0));
}

#[test]
fn a_loudspeaker_takes_sound_before_its_time() {
    gstreamer::init().unwrap();
    let plan = AudioOut::Alsa("null").plan();
    let branch = Branch::open(&plan, |_| {}, |_| {}).unwrap();
    let begun = Instant::now();
    let mut block = 0;
    while branch.latency().is_zero() {
        assert!(begun.elapsed() < Duration::from_secs(10), "no latency");
        let at = gstreamer::ClockTime::from_mseconds(10 * block);
        branch.push(vec![0; 2 * BLOCK], at, None);
        block += 1;
        std::thread::sleep(Duration::from_millis(10));
    }
    // Its buffer of 50 ms and a block, and what a device has on the wire.
    assert_eq!(branch.latency(), Duration::from_millis(90));
}

#[test]
fn what_begins_after_a_pause_begins_now() {
    gstreamer::init().unwrap();
    let (voice, mut next) = Voice::overheard(Duration::from_secs(10));
    let (news, mut told) = mpsc::channel(16);
    let device = Loudspeaker::Device("null".to_owned());
    let sound = Sound::start(device, voice, news).unwrap();
    let begun = Instant::now();
    while !matches!(told.try_recv(), Ok(SoundNews::Loudspeaker { .. })) {
        assert!(begun.elapsed() < Duration::from_secs(10), "no loudspeaker");
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(700));
    let added = Instant::now();
    sound.add(STREAM);
    let (_, first) = next().unwrap();
    sound.stop();
    assert!(first >= added, "{:?} early", added - first);
}

#[test]
fn a_loudspeaker_that_takes_nothing_more_is_opened_anew() {
    gstreamer::init().unwrap();
    let (voice, _next) = Voice::overheard(Duration::ZERO);
    let (news, mut told) = mpsc::channel(64);
    let device = Loudspeaker::Device("null".to_owned());
    let mut worker = Worker::new(device, voice, news);
    // A pipeline whose end never comes back, as with a device that stalls.
    let (_held, stall) = std::sync::mpsc::channel::<()>();
    let stalls = move |_: &gstreamer::Sample| {
        // An error means that the test is over.
        let _ = stall.recv();
    };
    let plan = AudioEncode { bitrate: 32_000 }.plan();
    worker.output = Some(Branch::open(&plan, stalls, |_| {}).unwrap());
    worker.mixer.add(STREAM);
    let start = Instant::now();
    worker.tried = Some(start);
    let mut second = |number: u32| {
        let at = start + Duration::from_secs(1) * number;
        for block in 0..40 {
            worker.block(at + Duration::from_millis(10) * block);
        }
        std::thread::sleep(Duration::from_millis(100));
        worker.keep_output(at + Duration::from_secs(1));
        worker.output.is_some()
    };
    assert!((0..3).all(&mut second), "it may only be slow");
    assert!(!(3..6).all(&mut second), "it stands still");
    let news = std::iter::from_fn(|| told.try_recv().ok());
    let last = news.filter(|news| matches!(news, SoundNews::Loudspeaker { .. }));
    let last: Vec<_> = last.collect();
    assert!(
        matches!(last[..], [SoundNews::Loudspeaker { missing: true, .. }]),
        "{last:?}"
    );
    let end = Instant::now() + Duration::from_secs(10);
    while worker.output.is_none() {
        assert!(Instant::now() < end, "it does not open again");
        worker.keep_output(Instant::now());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_loudspeaker_that_another_program_has_is_told_of() {
    let (voice, _next) = Voice::overheard(Duration::ZERO);
    let (news, mut told) = mpsc::channel(64);
    let mut worker = Worker::new(Loudspeaker::None, voice, news);
    let mut refused = |cause| {
        let (sender, receiver) = sync_channel(1);
        sender.send(Err(cause)).unwrap();
        worker.opening = Some(receiver);
        worker.take_output(Instant::now());
        let Ok(SoundNews::Loudspeaker {
            missing, in_use, ..
        }) = told.try_recv()
        else {
            panic!("nothing is told");
        };
        (missing, in_use)
    };
    assert_eq!(refused(Cause::InUse), (true, true));
    assert_eq!(refused(Cause::Other), (true, false));
}

#[test]
fn what_the_one_before_it_says_late_ends_nothing() {
    gstreamer::init().unwrap();
    let (voice, _next) = Voice::overheard(Duration::ZERO);
    let (news, mut told) = mpsc::channel(64);
    let mut worker = Worker::new(Loudspeaker::Device("null".to_owned()), voice, news);
    let before = worker.failed.0.clone();
    before.try_send(()).unwrap();
    let begun = Instant::now();
    while worker.output.is_none() {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "it does not open"
        );
        worker.keep_output(Instant::now());
        // An error means that nobody listens any more.
        let _ = before.try_send(());
        std::thread::sleep(Duration::from_millis(10));
    }
    worker.keep_output(Instant::now());
    assert!(worker.output.is_some());
    let news: Vec<_> = std::iter::from_fn(|| told.try_recv().ok()).collect();
    assert!(
        matches!(news[..], [SoundNews::Loudspeaker { missing: false, .. }]),
        "{news:?}"
    );
}

#[test]
fn the_one_before_it_has_time_to_close() {
    let (voice, _next) = Voice::overheard(Duration::ZERO);
    let (news, mut told) = mpsc::channel(64);
    let mut worker = Worker::new(Loudspeaker::None, voice, news);
    let start = Instant::now();
    let closing = worker.claim.begin();
    let mut refused = |worker: &mut Worker, after| {
        drop(worker.claim.begin());
        let (sender, receiver) = sync_channel(1);
        sender.send(Err(Cause::InUse)).unwrap();
        worker.opening = Some(receiver);
        worker.take_output(start + after);
        told.try_recv().ok()
    };
    assert!(refused(&mut worker, Duration::ZERO).is_none());
    assert!(refused(&mut worker, CLOSING / 2).is_none());
    assert!(
        worker.is_waiting(start + CLOSING / 2),
        "it is tried again soon"
    );
    let late = refused(&mut worker, CLOSING);
    let Some(SoundNews::Loudspeaker {
        missing, in_use, ..
    }) = late
    else {
        panic!("nothing is told: {late:?}");
    };
    assert_eq!((missing, in_use), (true, false), "the room itself has it");
    // One that never closes is waited for once.
    assert!(refused(&mut worker, 2 * CLOSING).is_some());
    assert!(!worker.is_waiting(start + 2 * CLOSING));
    drop(closing);
    let other = refused(&mut worker, CLOSING);
    assert!(matches!(
        other,
        Some(SoundNews::Loudspeaker { in_use: true, .. })
    ));
}

#[test]
fn without_a_loudspeaker_there_is_no_echo() {
    assert_eq!(played(Loudspeaker::None, Duration::from_millis(300)), []);
}
