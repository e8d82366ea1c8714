//! What is committed together: a batch, or with transactions all batches of one.

use super::batch::Done;
use super::ports::{Positions, Span};
use std::collections::VecDeque;
use tokio::time::Instant;

/// Batches between publishing and commit, in the order in which they were read.
pub(super) struct Units {
    span: Option<Span>,
    units: VecDeque<Unit>,
    /// Number of the first unit.
    first: u64,
}

struct Unit {
    /// `None` until the broker has acknowledged the batch.
    batches: Vec<Option<Done>>,
    waiting: usize,
    records: usize,
    since: Instant,
    closed: bool,
}

/// The place of a batch: number of its unit, index in it.
#[derive(Clone, Copy)]
pub(super) struct Place(u64, usize);

impl Units {
    pub(super) fn new(span: Option<Span>) -> Self {
        Self { span, units: VecDeque::new(), first: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    pub(super) fn transactional(&self) -> bool {
        self.span.is_some()
    }

    /// Whether a further batch may be published now.
    pub(super) fn admits(&self) -> bool {
        self.span.is_none() || self.units.back().is_none_or(|unit| !unit.closed)
    }

    /// Whether the next batch opens a unit.
    pub(super) fn opens(&self) -> bool {
        self.units.back().is_none_or(|unit| unit.closed)
    }

    /// A batch is about to be published.
    pub(super) fn enter(&mut self, records: usize) -> Place {
        if self.opens() {
            let since = Instant::now();
            let unit = Unit { batches: Vec::new(), waiting: 0, records: 0, since, closed: false };
            self.units.push_back(unit);
        }
        let number = self.first + self.units.len() as u64 - 1;
        let Some(unit) = self.units.back_mut() else { return Place(number, 0) };
        unit.batches.push(None);
        unit.waiting += 1;
        unit.records += records;
        unit.closed = self.span.is_none_or(|span| unit.records >= span.records);
        Place(number, unit.batches.len() - 1)
    }

    /// The broker has all of a batch.
    pub(super) fn acknowledged(&mut self, place: Place, done: Done) {
        let Some(unit) = self.units.get_mut((place.0 - self.first) as usize) else { return };
        unit.batches[place.1] = Some(done);
        unit.waiting -= 1;
    }

    /// Nothing more goes into the unit that is open.
    pub(super) fn close(&mut self) {
        if let Some(unit) = self.units.back_mut() {
            unit.closed = true;
        }
    }

    /// When the open unit has to be closed.
    pub(super) fn due(&self) -> Option<Instant> {
        let unit = self.units.back().filter(|unit| !unit.closed)?;
        Some(unit.since + self.span?.age)
    }

    /// The positions behind the first unit, once it is closed and all of it acknowledged.
    pub(super) fn ready(&self) -> Option<Positions> {
        let unit = self.units.front().filter(|unit| unit.closed && unit.waiting == 0)?;
        let mut next = Positions::new();
        for done in unit.batches.iter().flatten() {
            next.extend(&done.next);
        }
        Some(next)
    }

    /// The first unit is committed.
    pub(super) fn pop(&mut self) -> impl Iterator<Item = Done> {
        self.first += 1;
        self.units.pop_front().into_iter().flat_map(|unit| unit.batches).flatten()
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.first += self.units.len() as u64;
        self.units.clear();
    }
}
