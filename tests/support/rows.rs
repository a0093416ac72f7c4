//! A table of changes whose rows are a test each, so that they run side by side and each says by its name what broke.

/// What holds for each row of these tables, by the row's name with `_` in place of spaces: `what_holds::row`. A row
/// without a test does not compile, and a test without a row fails.
///
/// `what_holds` is the function beside it that shows it for one `Change`.
macro_rules! for_each_row {
    ($what_holds:ident in $($table:ident),+: $($row:ident),+ $(,)?) => {
        mod $what_holds {
            const TABLES: &[&[super::Change]] = &[$(super::$table),+];
            const _: () = {
                let mut rows = 0;
                $(rows += super::$table.len();)+
                assert!(rows == [$(stringify!($row)),+].len(), "as many tests as rows");
            };
            $(
                #[test]
                fn $row() {
                    let mut changes = TABLES.iter().copied().flatten();
                    super::$what_holds(changes.find(|change| change.name.replace(' ', "_") == stringify!($row)).unwrap());
                }
            )+
        }
    };
}

pub(crate) use for_each_row;
