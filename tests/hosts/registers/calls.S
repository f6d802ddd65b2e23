/* SPDX-License-Identifier: MIT */
/*
 * calls.S - a call with every register set, and functions that note what they were given.
 *
 * registers_call loads all of `registers_in`, calls, and stores all to `registers_out`; a
 * target stores all to `registers_seen`, may call `registers_inside`, gives every register
 * back and sets those of its results. Layout of a state: see registers.h.
 */
	.macro	VECTORS from_or_to, name, load
	cmpl	$1, registers_level(%rip)
	jb	77f
	ja	78f
	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	.if \load
	vmovdqu	\name+256+64*\n(%rip), %ymm\n
	.else
	vmovdqu	%ymm\n, \name+256+64*\n(%rip)
	.endif
	.endr
	jmp	79f
77:
	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	.if \load
	movdqu	\name+256+64*\n(%rip), %xmm\n
	.else
	movdqu	%xmm\n, \name+256+64*\n(%rip)
	.endif
	.endr
	jmp	79f
78:
	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	.if \load
	vmovdqu64 \name+256+64*\n(%rip), %zmm\n
	.else
	vmovdqu64 %zmm\n, \name+256+64*\n(%rip)
	.endif
	.endr
	.irp n,0,1,2,3,4,5,6,7
	.if \load
	kmovq	\name+144+8*\n(%rip), %k\n
	.else
	kmovq	%k\n, \name+144+8*\n(%rip)
	.endif
	.endr
79:
	.endm

	.macro	STORE to
	movq	%rax, \to+0(%rip)
	movq	%rcx, \to+8(%rip)
	movq	%rdx, \to+16(%rip)
	movq	%rbx, \to+24(%rip)
	movq	%rsp, \to+32(%rip)
	movq	%rbp, \to+40(%rip)
	movq	%rsi, \to+48(%rip)
	movq	%rdi, \to+56(%rip)
	movq	%r8, \to+64(%rip)
	movq	%r9, \to+72(%rip)
	movq	%r10, \to+80(%rip)
	movq	%r11, \to+88(%rip)
	movq	%r12, \to+96(%rip)
	movq	%r13, \to+104(%rip)
	movq	%r14, \to+112(%rip)
	movq	%r15, \to+120(%rip)
	pushfq
	popq	\to+128(%rip)
	stmxcsr	\to+136(%rip)
	fnstcw	\to+140(%rip)
	fnstsw	\to+142(%rip)
	VECTORS	to, \to, 0
	.endm

	/* All but rsp, and but x87's stack. */
	.macro	LOAD from
	VECTORS	from, \from, 1
	fldcw	\from+140(%rip)
	ldmxcsr	\from+136(%rip)
	pushq	\from+128(%rip)
	popfq
	movq	\from+0(%rip), %rax
	movq	\from+8(%rip), %rcx
	movq	\from+16(%rip), %rdx
	movq	\from+24(%rip), %rbx
	movq	\from+40(%rip), %rbp
	movq	\from+48(%rip), %rsi
	movq	\from+56(%rip), %rdi
	movq	\from+64(%rip), %r8
	movq	\from+72(%rip), %r9
	movq	\from+80(%rip), %r10
	movq	\from+88(%rip), %r11
	movq	\from+96(%rip), %r12
	movq	\from+104(%rip), %r13
	movq	\from+112(%rip), %r14
	movq	\from+120(%rip), %r15
	.endm

	.macro	TARGET name
	.globl	\name
	.type	\name, @function
	.p2align 4
\name:
	STORE	registers_seen
	movl	registers_words(%rip), %ecx
1:	testl	%ecx, %ecx
	jz	2f
	decl	%ecx
	movq	8(%rsp,%rcx,8), %rax
	leaq	registers_seen+2304(%rip), %rdx
	movq	%rax, (%rdx,%rcx,8)
	jmp	1b
2:	cmpq	$0, registers_inside(%rip)
	je	3f
	pushq	%rbp
	movq	%rsp, %rbp
	andq	$-16, %rsp
	cld
	ldmxcsr	registers_plain_mxcsr(%rip)
	call	*registers_inside(%rip)
	movq	%rbp, %rsp
	popq	%rbp
3:	LOAD	registers_seen
	movq	registers_result+0(%rip), %rax
	testl	$1, registers_results(%rip)
	jz	4f
	movq	registers_result+8(%rip), %rdx
4:	testl	$2, registers_results(%rip)
	jz	5f
	movsd	registers_result+16(%rip), %xmm0
5:	testl	$4, registers_results(%rip)
	jz	6f
	movsd	registers_result+24(%rip), %xmm1
6:	testl	$8, registers_results(%rip)
	jz	7f
	fldt	registers_result+32(%rip)
7:	ret
	.size	\name, .-\name
	.endm

	.text
	TARGET	r_twin
	TARGET	r_plain
	TARGET	r_rewritten
	TARGET	r_garbage
	TARGET	r_floats
	TARGET	r_seven
	TARGET	r_sixteen
	TARGET	r_wide
	TARGET	r_mixed
	TARGET	r_variadic
	TARGET	r_double
	TARGET	r_long_double
	TARGET	r_typed

	/* words on the stack, 1: rsp is 8-aligned only, the function */
	.globl	registers_call
	.type	registers_call, @function
registers_call:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, registers_saved+0(%rip)
	stmxcsr	registers_saved+8(%rip)
	fnstcw	registers_saved+12(%rip)
	movq	%rdx, registers_saved+16(%rip)
	andq	$-64, %rsp
	leal	(%rdi,%rsi), %eax
	testl	$1, %eax
	jz	1f
	subq	$8, %rsp
1:	movl	%edi, %ecx
	leaq	registers_in+2304(%rip), %rax
2:	testl	%ecx, %ecx
	jz	3f
	decl	%ecx
	pushq	(%rax,%rcx,8)
	jmp	2b
3:	movq	%rsp, registers_in+32(%rip)
	LOAD	registers_in
	call	*registers_saved+16(%rip)
	STORE	registers_out
	testl	$8, registers_results(%rip)
	jz	4f
	fstpt	registers_out+2496(%rip)
4:	movq	registers_saved+0(%rip), %rsp
	fldcw	registers_saved+12(%rip)
	ldmxcsr	registers_saved+8(%rip)
	cld
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
	.size	registers_call, .-registers_call

	.section .note.GNU-stack,"",@progbits
