//! How long a write may take, and how long it can still be carried out.
//!
//! Pure.

use std::time::Duration;

/// A write is given up after this long, and never sent again meanwhile: longer than AWS ever was seen to take.
pub const SEND_DEADLINE: Duration = Duration::from_secs(60);
/// How long AWS accepts a signed request after its signing (IAM user guide, "Elements of an AWS API request signature":
/// most requests have to reach AWS within five minutes of the time stamp in them).
pub const SIGNATURE_LIFE: Duration = Duration::from_secs(300);
