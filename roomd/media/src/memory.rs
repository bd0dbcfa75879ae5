// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! How memory is allocated.

/// Lets all threads allocate from one arena.
///
/// Every pipeline has threads of its own, and glibc gives each thread an arena that keeps what was
/// freed in it. With pictures of a megabyte, a process that has seen 100 guests holds three times the
/// memory that it needs (`tests/endurance.rs`); the lock of a single arena costs nothing measurable at
/// a few hundred large blocks a second.
pub(crate) fn share_one_arena() {
    #[cfg(target_env = "gnu")]
    {
        #[expect(unsafe_code, reason = "glibc has no safe interface for it")]
        // SAFETY: mallopt takes two integers and may be called at any time (mallopt(3)).
        let done = unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
        if done == 0 {
            tracing::debug!("the allocator keeps its arenas");
        }
    }
}
