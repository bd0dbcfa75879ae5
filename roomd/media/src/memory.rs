// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! How memory is allocated.

/// The least size of a block that goes back to the system as soon as it is free, in bytes: pictures.
#[cfg(target_env = "gnu")]
const LARGE: libc::c_int = 256 * 1024;

/// Lets all threads allocate from one arena, and pictures from none.
///
/// Every pipeline has threads of its own, and glibc gives each thread an arena that keeps what was
/// freed in it. With pictures of a megabyte, a process that has seen 100 guests holds three times the
/// memory that it needs (`tests/endurance.rs`); and pictures leave holes in a single arena. The lock of
/// the arena costs nothing measurable at a few hundred blocks a second.
pub(crate) fn give_back_what_is_free() {
    #[cfg(target_env = "gnu")]
    {
        #[expect(unsafe_code, reason = "glibc has no safe interface for it")]
        // SAFETY: mallopt takes two integers and may be called at any time (mallopt(3)).
        let done = unsafe {
            libc::mallopt(libc::M_ARENA_MAX, 1) & libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE)
        };
        if done == 0 {
            tracing::debug!("the allocator stays as it was");
        }
    }
}
