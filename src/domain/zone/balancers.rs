//! Hosted zones of AWS's load balancers, which an alias to one has to name.

/// Of Application and Classic Load Balancers (AWS General Reference, "Elastic Load Balancing endpoints and quotas").
const ZONES: [(&str, &str); 16] = [
    ("us-east-1", "Z35SXDOTRQ7X7K"),
    ("us-east-2", "Z3AADJGX6KTTL2"),
    ("us-west-1", "Z368ELLRRE2KJ0"),
    ("us-west-2", "Z1H1FL5HABSF5"),
    ("ca-central-1", "ZQSVJUPU6J1EY"),
    ("sa-east-1", "Z2P70J7HTTTPLU"),
    ("eu-central-1", "Z215JYRZR1TBD5"),
    ("eu-west-1", "Z32O12XQLNTSW2"),
    ("eu-west-2", "ZHURV8PSTC4K8"),
    ("eu-west-3", "Z3Q77PNBQS71R4"),
    ("eu-north-1", "Z23TAZ6LKFMNIO"),
    ("ap-south-1", "ZP97RAFLXTNZK"),
    ("ap-northeast-1", "Z14GRHDCWA56QT"),
    ("ap-northeast-2", "ZWKZPGTI48KDX"),
    ("ap-southeast-1", "Z1LMS91P8CMLE5"),
    ("ap-southeast-2", "Z1GM3OXH4ZPM65"),
];

/// The hosted zone of a region's load balancers, where it is known here.
#[must_use]
pub fn zone_of_balancers(region: &str) -> Option<&'static str> {
    ZONES.iter().find(|(name, _)| *name == region).map(|(_, zone)| *zone)
}
