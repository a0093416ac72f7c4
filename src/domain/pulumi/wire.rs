//! The engine's events as they stand in a line of JSON (`sdk/go/common/apitype/events.go` in Pulumi).
//!
//! Pure. Only what is read of them is named here; property values are passed over unread.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawLine<'a> {
    pub(super) timestamp: Option<f64>,
    pub(super) sequence: Option<u64>,
    #[serde(borrow)]
    pub(super) resource_pre_event: Option<RawStep<'a>>,
    #[serde(borrow)]
    pub(super) res_outputs_event: Option<RawStep<'a>>,
    #[serde(borrow)]
    pub(super) res_op_failed_event: Option<RawStep<'a>>,
    #[serde(borrow)]
    pub(super) diagnostic_event: Option<RawMessage<'a>>,
    pub(super) stdout_event: Option<RawStdout>,
    pub(super) policy_event: Option<RawPolicy>,
    pub(super) error_event: Option<RawError>,
    pub(super) progress_event: Option<RawProgress>,
    pub(super) summary_event: Option<RawSummary>,
    pub(super) prelude_event: Option<RawEmpty>,
    pub(super) cancel_event: Option<RawEmpty>,
}

/// An event whose body is not read.
#[derive(Deserialize)]
pub(super) struct RawEmpty {}

#[derive(Deserialize)]
pub(super) struct RawStep<'a> {
    #[serde(borrow)]
    pub(super) metadata: RawMetadata<'a>,
    #[serde(default)]
    pub(super) planning: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawMetadata<'a> {
    #[serde(borrow)]
    pub(super) op: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) urn: Cow<'a, str>,
    #[serde(borrow, default, rename = "type")]
    pub(super) rtype: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) old: Option<RawState<'a>>,
    #[serde(borrow)]
    pub(super) new: Option<RawState<'a>>,
    pub(super) keys: Option<Vec<String>>,
    pub(super) diffs: Option<Vec<String>>,
    pub(super) detailed_diff: Option<BTreeMap<String, RawDiff>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawState<'a> {
    #[serde(borrow, default)]
    pub(super) id: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) parent: Cow<'a, str>,
    #[serde(default)]
    pub(super) custom: bool,
    #[serde(default)]
    pub(super) protect: bool,
    #[serde(default)]
    pub(super) retain_on_delete: bool,
    pub(super) init_errors: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawDiff {
    #[serde(default)]
    pub(super) diff_kind: String,
}

#[derive(Deserialize)]
pub(super) struct RawMessage<'a> {
    pub(super) urn: Option<String>,
    #[serde(borrow, default)]
    pub(super) prefix: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) message: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) severity: Cow<'a, str>,
    #[serde(default)]
    pub(super) ephemeral: bool,
}

#[derive(Deserialize)]
pub(super) struct RawStdout {
    #[serde(default)]
    pub(super) message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawPolicy {
    pub(super) resource_urn: Option<String>,
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    pub(super) policy_name: String,
    #[serde(default)]
    pub(super) enforcement_level: String,
}

#[derive(Deserialize)]
pub(super) struct RawError {
    #[serde(default)]
    pub(super) error: String,
}

#[derive(Deserialize)]
pub(super) struct RawProgress {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    pub(super) received: i64,
    #[serde(default)]
    pub(super) total: i64,
    #[serde(default)]
    pub(super) done: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawSummary {
    #[serde(default)]
    pub(super) maybe_corrupt: bool,
    #[serde(default)]
    pub(super) duration_seconds: f64,
    pub(super) resource_changes: Option<BTreeMap<String, u64>>,
    #[serde(default)]
    pub(super) is_preview: bool,
    pub(super) result: Option<String>,
}
