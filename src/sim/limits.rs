//! Rate limits of the account: token buckets on virtual time.
//!
//! Sources: Route 53 allows 5 requests a second for the whole account, DMS refills 8 a second into a bucket of 200,
//! CloudWatch's `GetMetricData` allows 50 a second for each region.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::wire::Service;

/// Regions come from clients; so many of them are told apart, later ones share one bucket.
const MAX_BUCKETS: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Limits {
    buckets: BTreeMap<(Service, String), Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Timestamp,
}

/// Size of a service's bucket and its refill in each second.
fn limit(service: Service) -> Option<(f64, f64)> {
    match service {
        Service::Route53 => Some((5.0, 5.0)),
        Service::Dms => Some((200.0, 8.0)),
        Service::CloudWatch => Some((50.0, 50.0)),
        _ => None,
    }
}

impl Limits {
    /// Takes one token; false when there is none left.
    pub(crate) fn admit(&mut self, service: Service, region: &str, now: Timestamp) -> bool {
        let Some((size, refill)) = limit(service) else { return true };
        // Route 53 is one service for the whole world, whatever region a client signs for.
        let region = if service == Service::Route53 || self.buckets.len() >= MAX_BUCKETS { "" } else { region };
        let bucket = self.buckets.entry((service, region.to_owned())).or_insert(Bucket { tokens: size, at: now });
        let passed = now.duration_since(bucket.at).as_secs_f64().max(0.0);
        bucket.at = now;
        bucket.tokens = (bucket.tokens + passed * refill).min(size);
        let admitted = bucket.tokens >= 1.0;
        if admitted {
            bucket.tokens -= 1.0;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    #[test]
    fn route53_takes_five_a_second_whatever_the_region() {
        let mut limits = Limits::default();
        let admitted = |limits: &mut Limits, millis| {
            ["us-east-1", "us-west-2"]
                .iter()
                .cycle()
                .take(10)
                .filter(|region| limits.admit(Service::Route53, region, at(millis)))
                .count()
        };
        assert_eq!(admitted(&mut limits, 0), 5);
        assert_eq!(admitted(&mut limits, 200), 1);
        assert_eq!(admitted(&mut limits, 10_000), 5);
    }

    #[test]
    fn dms_has_a_burst_of_two_hundred_in_each_region() {
        let mut limits = Limits::default();
        let count =
            |limits: &mut Limits, region| (0..300).filter(|_| limits.admit(Service::Dms, region, at(0))).count();
        assert_eq!(count(&mut limits, "us-west-2"), 200);
        assert_eq!(count(&mut limits, "us-east-1"), 200);
        assert!((0..8).all(|_| limits.admit(Service::Dms, "us-west-2", at(1_000))));
        assert!(!limits.admit(Service::Dms, "us-west-2", at(1_000)));
    }
}
