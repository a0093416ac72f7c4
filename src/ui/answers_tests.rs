//! Frames of what the zone's name servers answer: while a step is on its way, where one stays behind, where nobody answers.

use std::collections::BTreeMap;

use super::fixtures::{now, on, pending, shown, steady};
use crate::domain::evidence::answers::{Counts, NoAnswer};
use crate::domain::evidence::servers::{Heard, Sample};
use crate::domain::model::Model;
use crate::domain::units::{Percent, WeightPair};
use crate::keymap::View;

fn weights(new: u8) -> WeightPair {
    WeightPair::for_new_share(Percent::new(new).unwrap())
}

/// So many of 96 queries to each of the four servers led to the new stack.
fn with(mut model: Model, new: [u32; 4], step: (u8, u8), moving: bool) -> Model {
    let heard = |(index, new): (usize, u32)| Heard {
        server: format!("ns-{}.awsdns-{index}.net.", 512 + index),
        counts: Counts { legacy: 96 - new, new, ..Counts::default() },
    };
    let look = Sample { at: now(), heard: new.into_iter().enumerate().map(heard).collect() };
    let (from, to) = (weights(step.0), weights(step.1));
    for _ in 0..3 {
        model.live.answers.add(look.clone(), to, Some((from, to)), moving);
    }
    on(View::Traffic, model)
}

fn frames(name: &str, model: &Model) {
    let both = format!("{}=== 80x24\n{}", shown(model, (120, 36)), shown(model, (80, 24)));
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(format!("answers_{name}"), both);
    });
}

#[test]
fn of_a_step_that_is_on_its_way_it_is_told_how_many_servers_have_it() {
    frames("on_their_way", &with(pending(), [29, 30, 19, 19], (20, 30), true));
}

#[test]
fn of_a_settled_step_the_servers_that_lack_it_are_named() {
    frames("one_behind", &with(steady(10, 192), [0, 10, 9, 11], (0, 10), false));
}

#[test]
fn where_nobody_answers_the_reason_stands_in_the_place_of_the_share() {
    let mut model = with(steady(20, 192), [19; 4], (10, 20), false);
    let silent = Counts { without: BTreeMap::from([(NoAnswer::Late, 8)]), ..Counts::default() };
    let heard = Heard { server: "ns-512.awsdns-0.net.".into(), counts: silent };
    model.live.answers.add(Sample { at: now(), heard: vec![heard] }, weights(20), None, false);
    frames("nobody", &model);
}
