// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Takes back the buffers of a camera that does not begin to stream.
//!
//! `gst_v4l2_buffer_pool_start` queues its buffers at the driver and then has it stream. Where that fails,
//! because the camera was pulled out meanwhile, refuses, or the bus has no bandwidth left, the function
//! returns and leaves them queued (`sys/v4l2/gstv4l2bufferpool.c` in GStreamer 1.26.2, and still in 1.28.6).
//! Nobody takes them back: `gst_v4l2_buffer_pool_streamoff` returns early for a pool that does not stream,
//! and `do_stop` in `gstbufferpool.c` leaves out one that has not started. Each of them refers to the
//! allocator, and the allocator to the element; so every such attempt leaves a `v4l2src` with its pair of
//! sockets, its exported buffers and their mapped memory, and a camera that is tried again and again takes
//! all memory in the end.
//!
//! Nothing outside the pool reaches these buffers but the functions of its class, which are public. Both
//! that are replaced here call the original, and differ from it only for a pool that fails to start. With
//! a GStreamer that takes its buffers back there is nothing left for them to do.

use std::cell::RefCell;
use std::ptr::null_mut;
use std::sync::{Once, OnceLock};

use gstreamer as gst;
use gstreamer::ffi::{
    GstBuffer, GstBufferPool, GstBufferPoolClass, GstMemory, GstMiniObject, gst_buffer_n_memory,
    gst_buffer_peek_memory, gst_mini_object_get_qdata, gst_mini_object_unref,
    gst_mini_object_weak_ref, gst_mini_object_weak_unref,
};
use gstreamer::glib::ffi::{GFALSE, g_quark_from_static_string, gboolean, gpointer};
use gstreamer::glib::gobject_ffi::{
    G_SIGNAL_MATCH_DATA, GObject, g_signal_handlers_disconnect_matched, g_type_class_ref,
};
use gstreamer::glib::translate::IntoGlib as _;
use gstreamer::prelude::*;

/// The pool's type, which exists once a device was opened.
const POOL: &str = "GstV4l2BufferPool";

/// The functions of the class as they were.
#[derive(Clone, Copy)]
struct Originals {
    start: unsafe extern "C" fn(*mut GstBufferPool) -> gboolean,
    release: unsafe extern "C" fn(*mut GstBufferPool, *mut GstBuffer),
}

static ORIGINALS: OnceLock<Option<Originals>> = OnceLock::new();
static REPLACED: Once = Once::new();

struct Made {
    pool: *mut GstBufferPool,
    buffers: Vec<*mut GstBuffer>,
}

thread_local! {
    /// The pool that starts on this thread, and the buffers that live of those that it has made since.
    static MADE: RefCell<Option<Made>> = const { RefCell::new(None) };
}

/// Has V4L2's pools take back their buffers when they do not start. The first device that is opened brings
/// their type, so this is called before each, and holds from the second on.
pub(crate) fn mend() {
    let Some(kind) = gst::glib::Type::from_name(POOL) else {
        return;
    };
    if !kind.is_a(gst::BufferPool::static_type()) {
        return;
    }
    #[expect(unsafe_code, reason = "GObject has no safe interface for it")]
    // SAFETY: the type is a buffer pool's, so its class begins with that of buffer pools; the reference
    // that is never returned keeps it where it is. A thread that starts a pool meanwhile finds the old or
    // the new function, each a word that is written once, and any two of them work together.
    unsafe {
        let class = g_type_class_ref(kind.into_glib()).cast::<GstBufferPoolClass>();
        let originals = ORIGINALS.get_or_init(|| {
            let (start, release) = ((*class).start?, (*class).release_buffer?);
            Some(Originals { start, release })
        });
        if originals.is_some() {
            REPLACED.call_once(|| {
                (*class).release_buffer = Some(release);
                (*class).start = Some(start);
            });
        }
    }
}

fn originals() -> Option<Originals> {
    ORIGINALS.get().copied().flatten()
}

/// Starts a pool; what it has made and keeps goes back when that fails.
#[expect(unsafe_code, reason = "a function of a GObject class")]
unsafe extern "C" fn start(pool: *mut GstBufferPool) -> gboolean {
    let Some(originals) = originals() else {
        return GFALSE;
    };
    // A pool may start another one.
    let outer = MADE.replace(Some(Made {
        pool,
        buffers: Vec::new(),
    }));
    // SAFETY: the caller's pool is that of the original.
    let started = unsafe { (originals.start)(pool) };
    let made = MADE
        .replace(outer)
        .map_or_else(Vec::new, |made| made.buffers);
    // SAFETY: these live, as the others were taken out when they ended, and this thread alone has them
    // until the pool has started.
    unsafe {
        for buffer in &made {
            gst_mini_object_weak_unref(buffer.cast(), Some(ended), null_mut());
        }
        if started == GFALSE {
            take_back(pool, &made);
        }
    }
    started
}

/// Gives a buffer to its pool, which queues it at the driver; notes it while the pool starts.
#[expect(unsafe_code, reason = "a function of a GObject class")]
unsafe extern "C" fn release(pool: *mut GstBufferPool, buffer: *mut GstBuffer) {
    MADE.with_borrow_mut(|made| {
        // One of another pool is not this one's to take back.
        if let Some(made) = made
            && made.pool == pool
            && !made.buffers.contains(&buffer)
        {
            made.buffers.push(buffer);
            // SAFETY: the caller gives a buffer that lives.
            unsafe { gst_mini_object_weak_ref(buffer.cast(), Some(ended), null_mut()) };
        }
    });
    if let Some(originals) = originals() {
        // SAFETY: the caller's pool and buffer are those of the original.
        unsafe { (originals.release)(pool, buffer) };
    }
}

/// Forgets a buffer: one that the driver refuses is freed by the pool itself.
#[expect(unsafe_code, reason = "a callback of GStreamer")]
unsafe extern "C" fn ended(_: gpointer, buffer: *mut GstMiniObject) {
    MADE.with_borrow_mut(|made| {
        if let Some(made) = made {
            made.buffers.retain(|other| other.cast() != buffer);
        }
    });
}

/// Frees what a pool that has not started has queued.
///
/// # Safety
///
/// The buffers live and belong to the pool.
#[expect(unsafe_code, reason = "GStreamer has no safe interface for it")]
unsafe fn take_back(pool: *mut GstBufferPool, buffers: &[*mut GstBuffer]) {
    if buffers.is_empty() {
        return;
    }
    tracing::debug!(buffers = buffers.len(), "a camera does not begin to stream");
    // SAFETY: the pool has the only reference to each buffer, and queueing took another to its memory
    // (`gst_v4l2_allocator_qbuf`), which `gst_v4l2_allocator_flush` would have given back.
    unsafe {
        // The pool would queue anew what comes back to the allocator.
        for memory in buffers.iter().flat_map(|buffer| memories(*buffer)) {
            disconnect(pool, memory);
        }
        for buffer in buffers {
            let queued: Vec<_> = memories(*buffer)
                .filter(|memory| (**memory).mini_object.refcount > 1)
                .collect();
            if queued.is_empty() {
                // It waits in the pool itself.
                continue;
            }
            gst_mini_object_unref(buffer.cast());
            for memory in queued {
                gst_mini_object_unref(memory.cast());
            }
        }
    }
}

/// # Safety
///
/// The buffer lives as long as what is returned.
#[expect(unsafe_code, reason = "GStreamer has no safe interface for it")]
unsafe fn memories(buffer: *mut GstBuffer) -> impl Iterator<Item = *mut GstMemory> {
    // SAFETY: the buffer lives, and each index is below the number.
    let count = unsafe { gst_buffer_n_memory(buffer) };
    (0..count).map(move |index| unsafe { gst_buffer_peek_memory(buffer, index) })
}

/// The pool hears no more of the allocator that a memory is from.
///
/// # Safety
///
/// Both live.
#[expect(unsafe_code, reason = "GStreamer has no safe interface for it")]
unsafe fn disconnect(pool: *mut GstBufferPool, memory: *mut GstMemory) {
    // SAFETY: an exported buffer carries the memory that it was exported from by this name
    // (`GST_V4L2_MEMORY_QUARK`). No handler runs on this thread.
    unsafe {
        let quark = g_quark_from_static_string(c"GstV4l2Memory".as_ptr());
        let exported = gst_mini_object_get_qdata(memory.cast(), quark).cast::<GstMemory>();
        let memory = if exported.is_null() { memory } else { exported };
        let allocator = (*memory).allocator.cast::<GObject>();
        if !allocator.is_null() {
            let (data, none) = (G_SIGNAL_MATCH_DATA, null_mut());
            g_signal_handlers_disconnect_matched(
                allocator,
                data,
                0,
                0,
                none,
                null_mut(),
                pool.cast(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use gstreamer::glib;
    use gstreamer::subclass::prelude::*;

    use super::*;

    const BUFFERS: u32 = 4;

    /// A picture that counts its end.
    struct Picture(Arc<AtomicUsize>);

    impl AsRef<[u8]> for Picture {
        fn as_ref(&self) -> &[u8] {
            &[0; 16]
        }
    }

    impl Drop for Picture {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Keeps its buffers as V4L2's pool does, under its name.
    #[derive(Debug, Default)]
    pub struct Imp {
        streams: AtomicBool,
        /// So many more are taken by the driver.
        taken: AtomicUsize,
        ended: Arc<AtomicUsize>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Imp {
        const NAME: &'static str = POOL;
        type Type = Pool;
        type ParentType = gst::BufferPool;
    }

    impl ObjectImpl for Imp {}
    impl GstObjectImpl for Imp {}

    impl BufferPoolImpl for Imp {
        fn start(&self) -> bool {
            self.parent_start() && self.streams.load(Ordering::Relaxed)
        }

        fn alloc_buffer(
            &self,
            _: Option<&gst::BufferPoolAcquireParams>,
        ) -> Result<gst::Buffer, gst::FlowError> {
            Ok(gst::Buffer::from_slice(Picture(self.ended.clone())))
        }

        fn release_buffer(&self, mut buffer: gst::Buffer) {
            let taken = self.taken.load(Ordering::Relaxed);
            if taken == 0 {
                // The pool's own way to free one that the driver refuses.
                let flags = gst::BufferFlags::TAG_MEMORY;
                buffer.get_mut().unwrap().set_flags(flags);
                return self.parent_release_buffer(buffer);
            }
            self.taken.store(taken - 1, Ordering::Relaxed);
            std::mem::forget(buffer.memory(0).unwrap());
            std::mem::forget(buffer);
        }
    }

    glib::wrapper! {
        pub struct Pool(ObjectSubclass<Imp>) @extends gst::BufferPool, gst::Object;
    }

    /// How many pictures have ended after a start at which the driver takes so many.
    fn ended(streams: bool, taken: u32) -> usize {
        let pool: Pool = glib::Object::new();
        mend();
        let mut config = pool.config();
        config.set_params(None, 16, BUFFERS, 0);
        pool.set_config(config).unwrap();
        pool.imp().streams.store(streams, Ordering::Relaxed);
        pool.imp().taken.store(taken as usize, Ordering::Relaxed);
        assert_eq!(pool.set_active(true).is_ok(), streams);
        pool.imp().ended.load(Ordering::Relaxed)
    }

    #[test]
    fn a_pool_that_does_not_start_keeps_no_buffer() {
        gst::init().unwrap();
        for taken in 0..=BUFFERS {
            assert_eq!(ended(false, taken), BUFFERS as usize, "{taken} were queued");
        }
        assert_eq!(ended(true, BUFFERS), 0, "one that streams has its buffers");
    }
}
