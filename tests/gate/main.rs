//! What holds for the repository itself: its arrows, its dependencies, its packages.

mod arrows;
mod dependencies;
mod metadata;
mod observed;
mod packages;
mod pages;
mod source;
