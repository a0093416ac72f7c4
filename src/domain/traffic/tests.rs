//! Names and groups as Route 53 returns them.

use proptest::prelude::*;

use super::{normal_name, readable_name, same_name};

#[test]
fn names_are_compared_as_route_53_writes_them() {
    for (a, b) in [
        ("*.example.com", "\\052.example.com."),
        ("APP.example.com", "app.Example.COM."),
        ("\\141pp.example.com", "app.example.com"),
        ("_a-b.example.com.", "_A-b.example.com"),
        ("b\u{fc}cher.example.com", "b\\303\\274cher.example.com"),
    ] {
        assert!(same_name(a, b), "{a} {b}");
    }
    for (a, b) in [
        ("a.b.example.com", "a\\056b.example.com"),
        ("*.example.com", "a.example.com"),
        ("\\052.example.com", "052.example.com"),
        ("app.example.com", "app.example.org"),
    ] {
        assert!(!same_name(a, b), "{a} {b}");
    }
}

#[test]
fn a_name_is_shown_as_people_write_it() {
    for (name, readable) in [
        ("\\052.example.com.", "*.example.com."),
        ("\\141pp.example.com", "app.example.com"),
        ("a\\056b.example.com", "a\\056b.example.com"),
        ("b\\303\\274cher.example.com", "b\\303\\274cher.example.com"),
        ("\\05", "\\05"),
        ("b\u{fc}cher\\052", "b\u{fc}cher*"),
    ] {
        assert_eq!(readable_name(name), readable);
        assert!(same_name(name, readable), "{name}");
    }
}

proptest! {
    #[test]
    fn a_name_as_route_53_writes_it_stays_as_it_is(name in "[ -~]{0,40}") {
        let normal = normal_name(&name);
        prop_assert_eq!(normal_name(&normal), normal.clone());
        prop_assert!(same_name(&name, &normal));
    }
}
