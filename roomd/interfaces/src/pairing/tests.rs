// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::time::Instant;

use proptest::prelude::*;

use super::*;

fn start() -> Now {
    Now {
        mono: Instant::now(),
        utc: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
    }
}

fn code(text: &str) -> Code {
    Code::parse(text).unwrap()
}

#[test]
fn codes_are_six_digits_and_do_not_print() {
    for _ in 0..100 {
        let fresh = Code::random();
        assert_eq!(Code::parse(&fresh.digits()), Some(fresh.clone()));
        assert_eq!(format!("{fresh:?}"), "[secret]");
    }
    assert_eq!(code("123 456"), code("123456"));
    for wrong in [
        "",
        "12345",
        "1234567",
        "12345a",
        "１２３４５６",
        &" ".repeat(40),
    ] {
        assert_eq!(Code::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn a_code_pairs_once_and_expires() {
    let now = start();
    let mut pairing = Pairing::default();
    assert_eq!(pairing.redeem(Some(&code("111111")), now), Redeemed::Gone);
    assert_eq!(pairing.show(code("111111"), now), Shown::Fresh);
    assert_eq!(pairing.show(code("222222"), now), Shown::Already);
    assert_eq!(pairing.redeem(Some(&code("111111")), now), Redeemed::Paired);
    assert_eq!(pairing.redeem(Some(&code("111111")), now), Redeemed::Gone);
    assert_eq!(pairing.show(code("333333"), now), Shown::Fresh);
    let late = now.after(VALID);
    assert_eq!(pairing.redeem(Some(&code("333333")), late), Redeemed::Gone);
}

#[test]
fn lock_outs_double_up_to_a_quarter_of_an_hour_and_outlive_a_restart() {
    let mut now = start();
    let mut pairing = Pairing::default();
    let mut lengths = Vec::new();
    for _ in 0..7 {
        pairing = Pairing::restore(pairing.memory(), now);
        assert_eq!(pairing.show(code("111111"), now), Shown::Fresh);
        for tries_left in (1..TRIES).rev() {
            let wrong = pairing.redeem(Some(&code("999999")), now);
            assert_eq!(wrong, Redeemed::Wrong { tries_left });
        }
        let Redeemed::Locked { retry_after } = pairing.redeem(None, now) else {
            panic!("not locked");
        };
        pairing = Pairing::restore(pairing.memory(), now);
        assert_eq!(
            pairing.show(code("111111"), now),
            Shown::Locked { retry_after }
        );
        lengths.push(retry_after.as_secs());
        now = now.after(retry_after);
    }
    assert_eq!(lengths, [30, 60, 120, 240, 480, 900, 900]);
}

#[derive(Clone, Debug)]
enum Op {
    Show(u32),
    Right,
    Wrong,
    Garbage,
    Wait(u64),
    Restart,
    Hide,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (0..1_000_000_u32).prop_map(Op::Show),
        2 => Just(Op::Right),
        6 => Just(Op::Wrong),
        1 => Just(Op::Garbage),
        3 => (0..1000_u64).prop_map(Op::Wait),
        1 => Just(Op::Restart),
        1 => Just(Op::Hide),
    ]
}

proptest! {
    #[test]
    fn invariants_hold(ops in proptest::collection::vec(op(), 1..200)) {
        let mut now = start();
        let mut pairing = Pairing::default();
        let mut wrong_in_a_row = 0;
        let mut last_lock = Duration::ZERO;
        let mut locked_until = now.mono;
        let mut expires = now.mono;
        for op in ops {
            let shown = pairing.shown().map(|(code, _)| code.clone());
            let given = match op {
                Op::Show(number) => {
                    let outcome = pairing.show(code(&format!("{number:06}")), now);
                    if outcome == Shown::Fresh {
                        prop_assert!(now.mono >= locked_until);
                        expires = now.after(VALID).mono;
                    }
                    continue;
                }
                Op::Wait(seconds) => {
                    now = now.after(Duration::from_secs(seconds));
                    continue;
                }
                Op::Restart => {
                    pairing = Pairing::restore(pairing.memory(), now);
                    prop_assert!(pairing.shown().is_none());
                    continue;
                }
                Op::Hide => {
                    pairing.hide();
                    continue;
                }
                Op::Right => shown.clone(),
                Op::Wrong => {
                    let mut digits = shown.clone().map_or([b'0'; 6], |code| code.0);
                    digits[5] = if digits[5] == b'9' { b'0' } else { digits[5] + 1 };
                    Some(Code(digits))
                }
                Op::Garbage => None,
            };
            match pairing.redeem(given.as_ref(), now) {
                Redeemed::Paired => {
                    prop_assert!(shown.is_some() && given == shown);
                    prop_assert!(now.mono < expires && now.mono >= locked_until);
                    prop_assert!(pairing.shown().is_none());
                    (wrong_in_a_row, last_lock) = (0, Duration::ZERO);
                }
                Redeemed::Wrong { tries_left } => {
                    wrong_in_a_row += 1;
                    prop_assert!(given.is_none() || given != shown);
                    prop_assert_eq!(tries_left, TRIES - wrong_in_a_row);
                }
                Redeemed::Locked { retry_after } => {
                    if now.mono >= locked_until {
                        prop_assert_eq!(wrong_in_a_row + 1, TRIES);
                        prop_assert!(retry_after >= last_lock && retry_after <= LONGEST_LOCK);
                        (wrong_in_a_row, last_lock) = (0, retry_after);
                        locked_until = now.after(retry_after).mono;
                    }
                    prop_assert!(pairing.shown().is_none());
                }
                Redeemed::Gone => prop_assert!(shown.is_none() || now.mono >= expires),
            }
        }
    }
}
