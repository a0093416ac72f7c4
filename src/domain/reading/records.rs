//! What speaks against the records as they were last read.

use crate::domain::facts::{Facts, Source};
use crate::domain::units::{Timestamp, age_text};

use super::{fact, share};

/// Points of share by which what is counted may differ from what is set before that is said: with several thousand
/// requests a minute, resolvers that keep old answers make less.
const SEEN_APART: f64 = 15.0;

impl Facts {
    /// Why the records may no longer be what was last read: their newest answer is too old to decide on, or a failure
    /// came after it. Nothing when they are as good as known, or were never read.
    #[must_use]
    pub fn records_doubt(&self, now: Timestamp) -> Option<String> {
        let at = self.group.as_ref()?.at;
        let (age, error) = (now.since(at), self.error(Source::Records));
        let known = fact(self.group.as_ref(), Source::Records, self, now).fresh().is_some();
        if error.is_none() && known {
            return None;
        }
        let why = error.map(|error| format!(", and Route 53 does not answer: {error}")).unwrap_or_default();
        Some(format!("the records were read {} ago{why}; they may be others by now", age_text(age)))
    }

    /// That the share which the load balancers count is far from the one that the weights give, in a sentence.
    #[must_use]
    pub fn seen_apart(&self, now: Timestamp) -> Option<String> {
        let wanted = self.shiftable()?.weights().new_percent();
        let share = share(self, now);
        let (&seen, at) = (share.fresh()?, share.at?);
        ((seen - wanted).abs() > SEEN_APART).then(|| {
            format!(
                "the load balancers counted {seen:.0} % of the requests on the new stack at {} UTC, where the weights give \
                 {wanted:.0} %",
                at.hm()
            )
        })
    }
}
