/* SPDX-License-Identifier: MIT */
/*
 * probe.h - what a probe file says, parsed and checked.
 *
 * An INI file (libinih) has one section a probe. This module turns it into structs that
 * the wrappers can run without looking at text again: each field is a small program
 * (struct inv_source), each rule a comparison. The same parser serves the shim and
 * `invreg check`; it knows nothing of segments or processes.
 *
 * Called once per image from the constructor, and by the reader. Allocates (malloc), and
 * everything lives until inv_probe_file_free. Never exits or prints.
 */
#ifndef INV_PRELOAD_PROBE_H
#define INV_PRELOAD_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INV_PROBE_ARGS_MAX  16 /* words of arguments: a stdview is two */
#define INV_PROBE_STEPS_MAX 4
#define INV_PROBE_RULES_MAX 32
#define INV_PROBE_FILE_MAX  64	    /* probes in a file; as many as a segment describes */
#define INV_PROBE_BYTES_MAX 1048576 /* of a file */

/* Scalar types of signatures and expressions. */
enum inv_type {
	INV_TYPE_NONE = 0, /* void, as a result only */
	INV_TYPE_I8,
	INV_TYPE_I16,
	INV_TYPE_I32, /* also `int` */
	INV_TYPE_I64,
	INV_TYPE_U8,
	INV_TYPE_U16,
	INV_TYPE_U32, /* also `uint` */
	INV_TYPE_U64,
	INV_TYPE_F32,
	INV_TYPE_F64,
	INV_TYPE_BOOL,
	INV_TYPE_PTR,
	INV_TYPE_STR,	  /* NUL-terminated char * */
	INV_TYPE_STRUCT,  /* by value: layout text in inv_param.layout */
	INV_TYPE_LDOUBLE, /* long double: passed on, never read */
	INV_TYPE_STDSTR,  /* the address of a std::string (std_text.h); as a result one by value */
	INV_TYPE_STDVIEW  /* std::string_view by value: two words, length and address */
};

struct inv_param {
	enum inv_type type;
	uint8_t is_float;   /* passed in a floating register */
	int8_t reg;	    /* index within its register class (STDVIEW: of the first of
			     * two), or -1: on the stack, or from a struct by value on */
	uint8_t word;	    /* its number among the words of all: a STDVIEW is two, all
			     * others count as one */
	char name[64];	    /* may be empty */
	const char *layout; /* STRUCT: the text between the braces, else NULL */
};

struct inv_signature {
	enum inv_type result;
	const char *result_layout; /* STRUCT, else NULL */
	char result_text[32];	   /* as written: the result type that events show */
	uint32_t param_count;
	struct inv_param params[INV_PROBE_ARGS_MAX];
	uint8_t int_regs;     /* integer registers used */
	uint8_t float_regs;   /* floating registers used */
	bool on_stack;	      /* some argument is passed on the stack */
	bool by_value_struct; /* in or out */
	bool variadic;
	uint32_t fixed_count; /* parameters before the dots; all of them when not variadic */
	uint8_t word_count;   /* of all parameters */
};

/* Where a value comes from. */
enum inv_source_kind {
	INV_SOURCE_NONE = 0, /* the field is not given */
	INV_SOURCE_TEXT,     /* a constant in quotes: text, length */
	INV_SOURCE_NUMBER,   /* a constant number: number */
	INV_SOURCE_ARG,	     /* parameter `param`, then steps */
	INV_SOURCE_RETURN,   /* the result, then steps */
	INV_SOURCE_GLOBAL,   /* the symbol named by `text`, an address, then steps */
	INV_SOURCE_PYTHON    /* an attribute path, kept as text */
};

/*
 * value = base; for each step: value = load(value + offset) of that step's type (PTR for
 * all but the last); of a STDSTR or STDVIEW it is the address itself, where the object lies.
 * No steps: the base itself, of `type`.
 */
struct inv_step {
	int64_t offset;
	enum inv_type type;
};
struct inv_source {
	enum inv_source_kind kind;
	enum inv_type type; /* of the value in the end */
	uint8_t param;
	uint8_t step_count;
	struct inv_step steps[INV_PROBE_STEPS_MAX];
	int64_t number;
	const char *text;
	uint32_t length;
};

enum inv_field {
	INV_FIELD_TICK,
	INV_FIELD_INVOKER,
	INV_FIELD_ARTIFACT,
	INV_FIELD_METHOD,
	INV_FIELD_ARGS_COUNT,
	INV_FIELD_ERROR_MESSAGE, /* read at return */
	INV_FIELD_RESULT_TYPE,	 /* read at return */
	INV_FIELD_ERROR_TYPE,	 /* read at return: a text; else the code table below */
	INV_FIELD_COUNT
};

/* normalise.<field> and redact.<field>: how a str is recorded (normalise.h). */
enum inv_rewrite {
	INV_REWRITE_NONE = 0,
	INV_REWRITE_SQL,
	INV_REWRITE_DIGITS,
	INV_REWRITE_LENGTH /* redact = yes */
};

enum inv_compare {
	INV_COMPARE_NONE = 0, /* no success rule: every return is a success */
	INV_COMPARE_EQ,
	INV_COMPARE_NE,
	INV_COMPARE_LT,
	INV_COMPARE_LE,
	INV_COMPARE_GT,
	INV_COMPARE_GE,
	INV_COMPARE_NULL,
	INV_COMPARE_NOT_NULL,
	INV_COMPARE_TRUE /* Python: truth of the path */
};

struct inv_success {
	enum inv_compare compare;
	struct inv_source left;
	int64_t number;
	double real; /* for F32 and F64 */
};

/* error_type = SOURCE: code=type, ... ; the first row with the code wins. */
struct inv_code_rule {
	int64_t code;
	char type[64];
};

/* error.TYPE = text, text (any) or text & text (all); ASCII case-insensitively. */
struct inv_text_rule {
	char type[64];
	bool all; /* of the texts, else any */
	uint32_t text_count;
	const char *texts[8]; /* lower-cased */
};

enum inv_bind { INV_BIND_AUTO = 0, INV_BIND_GOT, INV_BIND_ENTRY };

enum inv_target_kind {
	INV_TARGET_SYMBOL, /* symbol, in any object */
	INV_TARGET_OBJECT, /* object:symbol */
	INV_TARGET_OFFSET, /* object+0xOFFSET */
	INV_TARGET_PYTHON  /* python:module:name */
};

struct inv_probe {
	char name[64];
	char target[256]; /* as written */
	enum inv_target_kind target_kind;
	char object[128]; /* OBJECT, OFFSET: base name, `program` = the executable */
	char symbol[192]; /* SYMBOL, OBJECT; Python: the name behind the module */
	char module[128]; /* Python */
	uint64_t offset;  /* OFFSET */
	char signature_text[512];
	struct inv_signature signature;
	struct inv_source field[INV_FIELD_COUNT];
	enum inv_rewrite rewrite[INV_FIELD_COUNT];
	char success_text[128];
	struct inv_success success;
	struct inv_source error_code; /* left side of error_type's code table */
	uint32_t code_rule_count;
	struct inv_code_rule code_rules[INV_PROBE_RULES_MAX];
	uint32_t text_rule_count;
	struct inv_text_rule text_rules[INV_PROBE_RULES_MAX];
	char error_default[64]; /* "execution" unless error.default says otherwise */
	enum inv_bind bind;
	bool properties; /* Python: fields may run the program's code */
	uint32_t line;	 /* of the section, for messages */
};

struct inv_probe_file {
	char path[512];
	uint64_t hash; /* of the bytes */
	uint32_t count;
	struct inv_probe *probes;
};

struct inv_probe_error {
	char path[512];
	uint32_t line;	 /* 0: no line (the file could not be read) */
	uint32_t column; /* from 1 */
	char text[256];	 /* what was expected, in one line */
};

/*
 * Reads and checks a file. On failure *error says where and what was expected, and *out
 * is empty.
 * Returns: 0, or -errno (-EINVAL: the contents; others: reading).
 */
int inv_probe_file_read(struct inv_probe_file *out, const char *path,
			struct inv_probe_error *error);

/* The same from memory; `path` is for messages. */
int inv_probe_file_parse(struct inv_probe_file *out, const char *path, const char *bytes,
			 size_t length, struct inv_probe_error *error);
void inv_probe_file_free(struct inv_probe_file *file);

/* Returns: the key of a field in a probe file ("invoker_id"), which is its name in an event, too.
 */
const char *inv_probe_field_name(enum inv_field field);

/* Returns: the word for a type in a signature; "a struct" of one by value. */
const char *inv_type_name(enum inv_type type);

/* What a session shows of a probe (layout.h); long texts are cut. */
struct inv_probe_row;
void inv_probe_describe(struct inv_probe_row *row, const struct inv_probe *probe);

/*
 * Whether the wrapper has to be a libffi closure: the C register-forwarder serves
 * arguments in registers and results in one.
 */
bool inv_signature_needs_closure(const struct inv_signature *signature);

/*
 * Why no wrapper can serve this prototype.
 * Returns: NULL when it can, else one line that names the parameter and the remedy.
 */
const char *inv_signature_refusal(const struct inv_signature *signature, char *buf, size_t size);

/*
 * Why no function of this prototype can be observed at its entry.
 * Returns: NULL when it can, else a few static words.
 */
const char *inv_signature_entry_refusal(const struct inv_signature *signature);

/*
 * Classifies a failure by its message (NULL: there is none), by the text rules.
 * Returns: the rule's index, or -1 when none matches.
 */
int inv_probe_match_message(const struct inv_probe *probe, const char *message, size_t length);

/*
 * Parses one signature; column counts from 1 in error, line is 0. To be released.
 * Returns: 0, -EINVAL or -ENOMEM; nothing is to be released unless 0.
 */
int inv_signature_parse(struct inv_signature *out, const char *text, struct inv_probe_error *error);
void inv_signature_release(struct inv_signature *signature);

/*
 * Parses one expression against a signature (NULL for Python targets). To be released; its
 * text is NUL-terminated as well as counted.
 * Returns: 0, -EINVAL or -ENOMEM; nothing is to be released unless 0.
 */
int inv_source_parse(struct inv_source *out, const char *text,
		     const struct inv_signature *signature, bool at_return,
		     struct inv_probe_error *error);
void inv_source_release(struct inv_source *source);

#endif
