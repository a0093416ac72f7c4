//! Which groups are one user's own, and which owner of a file only stands for somebody unknown.
//!
//! Reads the lists of accounts and what the kernel says of this user namespace.

use std::path::Path;

/// Users, groups and this namespace's map of users, as the system lists them.
#[derive(Debug, Default, Clone)]
pub(super) struct Accounts {
    /// `/etc/passwd`.
    pub(super) users: String,
    /// `/etc/group`.
    pub(super) groups: String,
    /// `/proc/self/uid_map`.
    pub(super) map: String,
    /// `/proc/sys/kernel/overflowuid`.
    pub(super) overflow: String,
    /// `/proc/self/status`.
    pub(super) status: String,
}

/// The right to do with files of others what their owners may, as far as these are users of this namespace
/// (capabilities(7)).
const CAP_FOWNER: u32 = 3;
/// The map of the host itself, where every user is his own.
const WHOLE: (u32, u32, u32) = (0, 0, u32::MAX);

impl Accounts {
    /// Of this host; what cannot be read says nothing.
    pub(super) fn here() -> Self {
        let read = |path: &str| std::fs::read_to_string(Path::new(path)).unwrap_or_default();
        Self {
            users: read("/etc/passwd"),
            groups: read("/etc/group"),
            map: read("/proc/self/uid_map"),
            overflow: read("/proc/sys/kernel/overflowuid"),
            status: read("/proc/self/status"),
        }
    }

    /// Whether nobody but root is in this group beside this user, as far as the lists tell: it has the user's own name, or
    /// where it has none the user's own number, and no other user belongs to it. Directories elsewhere (LDAP) are not asked.
    pub(super) fn is_private(&self, gid: u32, user: u32) -> bool {
        let users = || rows(&self.users).filter_map(|row| Some((*row.first()?, number(&row, 2)?, number(&row, 3)?)));
        let name = users().find(|(_, uid, _)| *uid == user).map(|(name, ..)| name);
        let others = users().any(|(_, uid, primary)| primary == gid && uid != user && uid != 0);
        let mut named = rows(&self.groups).filter(|row| number(row, 2) == Some(gid)).peekable();
        if others || named.peek().is_none() {
            return !others && gid == user;
        }
        named.all(|row| {
            let members = row.get(3).copied().unwrap_or_default();
            let alone = members.split(',').all(|member| member.is_empty() || member == "root" || Some(member) == name);
            alone && (row.first().copied() == name || name.is_none() && gid == user)
        })
    }

    /// The number under which owners are shown who are not known in this user namespace, where nobody in it can have that
    /// number himself.
    pub(super) fn stand_in(&self) -> Option<u32> {
        let (overflow, ranges) = (self.overflow()?, self.ranges()?);
        (!ranges.iter().any(|range| covers(*range, overflow))).then_some(overflow)
    }

    /// The same number where somebody in this namespace can have it, too, and the kernel lets this process do as the
    /// owner of a file may only when it is he: whether it was not has to be asked for each folder.
    pub(super) fn doubtful(&self) -> Option<u32> {
        let (overflow, ranges) = (self.overflow()?, self.ranges()?);
        let rights = self.status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
        let acts_as_owner = u64::from_str_radix(rights.trim(), 16).ok()? & (1 << CAP_FOWNER) != 0;
        let is_doubtful = ranges != [WHOLE] && ranges.iter().any(|range| covers(*range, overflow));
        (acts_as_owner && is_doubtful).then_some(overflow)
    }

    fn overflow(&self) -> Option<u32> {
        self.overflow.trim().parse().ok()
    }

    /// The map of this namespace: first number in it, first number outside, how many. Nothing where it cannot be read.
    fn ranges(&self) -> Option<Vec<(u32, u32, u32)>> {
        let range = |line: &str| {
            let mut numbers = line.split_ascii_whitespace().map(str::parse);
            Some((numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?))
        };
        let ranges: Vec<_> = self.map.lines().map(range).collect::<Option<_>>()?;
        (!ranges.is_empty()).then_some(ranges)
    }
}

fn covers((first, _, count): (u32, u32, u32), user: u32) -> bool {
    user.checked_sub(first).is_some_and(|offset| offset < count)
}

fn rows(list: &str) -> impl Iterator<Item = Vec<&str>> {
    list.lines().map(|line| line.split(':').collect())
}

fn number(row: &[&str], at: usize) -> Option<u32> {
    row.get(at)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_a_users_own_by_name_or_number_and_only_without_others_in_it() {
        let users = "root:x:0:0:::\nkim:x:1000:1000:::\nlee:x:1001:100:::\nmia:x:1002:1002:::\n";
        let is_private = |groups: &str, gid, user| {
            Accounts { users: users.into(), groups: groups.into(), ..Accounts::default() }.is_private(gid, user)
        };
        assert!(is_private("kim:x:1000:\n", 1000, 1000));
        assert!(is_private("kim:x:1000:kim,root\n", 1000, 1000));
        assert!(!is_private("kim:x:1000:kim,lee\n", 1000, 1000), "another member");
        assert!(!is_private("kim:x:1000:\nteam:x:1000:lee\n", 1000, 1000), "a second name of the same group");
        assert!(!is_private("users:x:100:\n", 100, 1000), "the group of all users");
        assert!(!is_private("users:x:100:\n", 100, 1001), "also where nobody else is listed");
        assert!(!is_private("staff:x:1000:\n", 1000, 1000), "the name of another");
        assert!(is_private("", 2000, 2000), "a pod's user is on no list");
        assert!(is_private("app:x:2000:\n", 2000, 2000));
        assert!(!is_private("", 2000, 2001) && !is_private("", 1000, 100));
        assert!(is_private("root:x:0:\n", 0, 0) && !is_private("root:x:0:lee\n", 0, 0));
        let shared = Accounts { users: format!("{users}neo:x:1003:1002:::\n"), ..Accounts::default() };
        assert!(!shared.is_private(1002, 1002), "another user's first group as well");
    }

    #[test]
    fn the_kernels_stand_in_is_nobody_where_no_user_of_the_namespace_can_be_it() {
        let stand_in =
            |map: &str| Accounts { map: map.into(), overflow: "65534\n".into(), ..Accounts::default() }.stand_in();
        assert_eq!(stand_in("         0          0 4294967295\n"), None, "the host itself");
        assert_eq!(stand_in("      1000       1000          1\n"), Some(65_534));
        assert_eq!(stand_in("0 1000 1\n1 100000 65533\n"), Some(65_534));
        assert_eq!(stand_in("0 1000 1\n1 100000 65536\n"), None, "somebody can be it here");
        assert_eq!(stand_in(""), None);
        assert_eq!(stand_in("garbage\n"), None);
        assert_eq!(Accounts { map: "0 0 1".into(), ..Accounts::default() }.stand_in(), None);
    }

    #[test]
    fn nobody_is_in_doubt_where_a_container_has_one_and_the_kernel_tells_him_from_others() {
        let doubtful = |map: &str, rights: &str| {
            let status = format!("Name:\ttapctl\nCapEff:\t{rights}\n");
            Accounts { map: map.into(), overflow: "65534".into(), status, ..Accounts::default() }.doubtful()
        };
        let (rootless, all) = ("0 1000 1\n1 100000 65536\n", "000001ffffffffff");
        assert_eq!(doubtful(rootless, all), Some(65_534));
        assert_eq!(doubtful(rootless, "00000000a80425fb"), Some(65_534), "what a container has as a rule");
        assert_eq!(doubtful(rootless, "0000000000000000"), None, "nobody but its root is told");
        assert_eq!(doubtful(rootless, ""), None);
        assert_eq!(doubtful("0 0 4294967295\n", all), None, "the host knows all of its users");
        assert_eq!(doubtful("1000 1000 1\n", all), None, "nobody in it can have that number: there is no doubt");
    }
}
