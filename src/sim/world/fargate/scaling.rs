//! Target tracking: tasks are added when the CPU is above its aim, and taken away when it is well below.

use super::Fargate;

/// Bounds of autoscaling, and the CPU that it aims at, in per cent.
pub(super) const SMALLEST: usize = 4;
pub(super) const LARGEST: usize = 12;
const AIM: f64 = 70.0;
/// Minutes above the aim before tasks are added, and below nine tenths of it before one is taken away, as target tracking does it.
const HOT_MINUTES: u32 = 3;
const CALM_MINUTES: u32 = 15;

impl Fargate {
    /// Target tracking on average CPU, once a minute.
    pub(super) fn autoscale(&mut self, now: i64) {
        let (sum, count) = std::mem::take(&mut self.minute_cpu);
        if count == 0 {
            return;
        }
        let cpu = sum / f64::from(count);
        let running = self.running(now).max(1);
        self.hot = if cpu > AIM { self.hot + 1 } else { 0 };
        self.calm = if cpu < AIM * 0.9 && self.desired > SMALLEST { self.calm + 1 } else { 0 };
        if self.hot >= HOT_MINUTES && running >= self.desired.min(LARGEST) {
            let wanted = (running as f64 * cpu / AIM).ceil() as usize;
            self.scale(now, wanted.clamp(self.desired, LARGEST));
            self.hot = 0;
        } else if self.calm >= CALM_MINUTES {
            let wanted = (running as f64 * cpu / (AIM * 0.9)).ceil() as usize;
            self.scale(now, wanted.clamp(SMALLEST, self.desired));
            self.calm = 0;
        }
    }

    fn scale(&mut self, now: i64, wanted: usize) {
        if wanted != self.desired {
            self.desired = wanted;
            self.steady = false;
            self.say(
                now,
                format!("Message: Successfully set desired count to {wanted}. Change successfully fulfilled by ecs."),
            );
        }
    }
}
