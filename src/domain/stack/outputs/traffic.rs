//! The name whose traffic moves, and what watches over it.

use super::reader::OutputsReader;

/// The weighted records and where they lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrafficOutputs {
    /// Hosted zone of the record.
    pub hosted_zone_id: String,
    /// Name of the weighted records.
    pub record_name: String,
    /// Type of the weighted records.
    pub record_type: String,
    /// Set identifier of the legacy record.
    pub legacy_set_identifier: String,
    /// Set identifier of the new record.
    pub new_set_identifier: String,
    /// Name of the Classic ELB, the metric dimension.
    pub legacy_lb_name: String,
    /// DNS name of the Classic ELB.
    pub legacy_lb_dns_name: String,
}

impl TrafficOutputs {
    pub(super) fn read(r: &mut OutputsReader) -> Self {
        Self {
            hosted_zone_id: r.text("hostedZoneId"),
            record_name: r.text("recordName"),
            record_type: r.record_type("recordType"),
            legacy_set_identifier: r.text("legacySetIdentifier"),
            new_set_identifier: r.text("newSetIdentifier"),
            legacy_lb_name: r.text("legacyLbName"),
            legacy_lb_dns_name: r.text("legacyLbDnsName"),
        }
    }
}

/// Alarms, logs, dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitoringOutputs {
    /// Dashboard.
    pub dashboard_name: String,
    /// Where to open it.
    pub dashboard_url: String,
    /// Alarm on replication lag.
    pub lag_alarm_name: String,
    /// All alarms of the stack.
    pub alarm_names: Vec<String>,
    /// Log groups of the stack.
    pub log_group_names: Vec<String>,
}

impl MonitoringOutputs {
    pub(super) fn read(r: &mut OutputsReader) -> Self {
        Self {
            dashboard_name: r.text("dashboardName"),
            dashboard_url: r.text("dashboardUrl"),
            lag_alarm_name: r.text("lagAlarmName"),
            alarm_names: r.list("alarmNames"),
            log_group_names: r.list("logGroupNames"),
        }
    }
}
