//! Sets the linker up for a Node addon.

fn main() {
    #[cfg(feature = "addon")]
    napi_build::setup();
}
