/* SPDX-License-Identifier: MIT */
/*
 * unwind.h - calls that are left by an exception, pthread_exit or cancellation.
 *
 * Each wrapper's frame names a personality routine of ours in its unwind table. The
 * unwinder calls it when it passes the frame; it records the call as a failure
 * (`exception:<type>` or `forced_unwind`) and lets the unwinding go on, unchanged. Nothing
 * is caught, and no call pays for it that returns.
 *
 * A personality from libgcc (C's __attribute__((cleanup))) was rejected: it makes the shim
 * need libgcc_s, or carry a second unwinder that would read the first one's state. Ours
 * asks one thing of the unwinder, the frame pointer, of the very one that called it.
 *
 * Where the call cannot be told (an unwinder without _Unwind_GetGR, more than 32 calls
 * deep, the overflow region), it stays open, and is counted like one that was jumped over.
 */
#ifndef INV_PRELOAD_UNWIND_H
#define INV_PRELOAD_UNWIND_H

/*
 * To be stated in the body of a function that contains the real call and the wrapper's
 * frame (inv_record_enter inlined).
 */
#define INV_UNWIND_FRAME() __asm__ volatile(".cfi_personality 0x1b, inv_unwind_passes")

#endif
