//! What answers of a person are worth, simulated from labelled articles of one outlet: chosen ones against
//! random ones (`models/label.sh`), and more and more of them (`models/curve.sh`).

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod curve;
mod label;
mod outlet;

use outlet::Outlet;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["label", folder, set, seeds] => label::simulate(&Outlet::read(folder, set), seeds.parse().unwrap()),
        ["curve", folder, set] => curve::draw(&Outlet::read(folder, set)),
        _ => panic!("label FOLDER SET SEEDS, or curve FOLDER SET"),
    }
}
