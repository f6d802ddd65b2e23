/* SPDX-License-Identifier: MIT */
/* truth.c - main(), options and the truth page of all test hosts; see truth.h. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "truth.h"

#define TRUTH_MAGIC UINT64_C(0x3168747572740a0d)

typedef _Atomic uint64_t counter;

/* The file: this, then begun and returned of each (artifact, method, code). */
struct truth {
	uint64_t magic;
	uint32_t artifacts, methods, codes, spare;
	counter jumped;
	counter inherited;
	counter digest;
	struct {
		counter begun, returned;
	} rows[];
};

static struct truth *truth;
static struct host_options options = {.threads = 1,
				      .calls = 10000,
				      .artifacts = 8,
				      .methods = HOST_METHODS_MAX,
				      .codes = HOST_CODES_MAX,
				      .depth = 8,
				      .rate_us = 200,
				      .seed = 1};

static const char *const method_names[HOST_METHODS_MAX] = {"transfer", "query", "bid", "settle"};
static const int code_values[HOST_CODES_MAX] = {0, -13, -22, -110, -5, -99};

static void die(const char *what)
{
	fprintf(stderr, "host: %s: %s\n", what, strerror(errno));
	exit(3);
}

uint64_t host_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static size_t truth_bytes(uint64_t artifacts, uint64_t methods, uint64_t codes)
{
	return sizeof(struct truth) + artifacts * methods * codes * sizeof truth->rows[0];
}

/* An existing file of the same shape is continued: `execs` opens it again in each image. */
static void truth_open(void)
{
	size_t bytes = truth_bytes(options.artifacts, options.methods, options.codes);
	int fd = -1;

	if (options.truth) {
		fd = open(options.truth, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0)
			die(options.truth);
	}
	truth = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		     fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
	if (truth == MAP_FAILED)
		die("mmap");
	if (fd >= 0)
		close(fd);
	truth->magic = TRUTH_MAGIC;
	truth->artifacts = options.artifacts;
	truth->methods = options.methods;
	truth->codes = options.codes;
}

static int truth_print(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		die(path);
	struct truth *t = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (t == MAP_FAILED)
		die("mmap");
	if ((size_t)st.st_size < sizeof *t || t->magic != TRUTH_MAGIC ||
	    (size_t)st.st_size != truth_bytes(t->artifacts, t->methods, t->codes)) {
		fprintf(stderr, "host: %s is no truth file\n", path);
		return 3;
	}
	printf("#jumped\t%" PRIu64 "\n#inherited\t%" PRIu64 "\n", atomic_load(&t->jumped),
	       atomic_load(&t->inherited));
	printf("#artifact\tmethod\tcode\tbegun\treturned\n");
	for (uint32_t a = 0, row = 0; a < t->artifacts; a++)
		for (uint32_t m = 0; m < t->methods; m++)
			for (uint32_t c = 0; c < t->codes; c++, row++)
				if (atomic_load(&t->rows[row].begun) ||
				    atomic_load(&t->rows[row].returned))
					printf("artifact_%" PRIu32 "\t%s\t%d\t%" PRIu64 "\t%" PRIu64
					       "\n",
					       a, method_names[m], code_values[c],
					       atomic_load(&t->rows[row].begun),
					       atomic_load(&t->rows[row].returned));
	return 0;
}

void host_caller_init(struct host_caller *caller, const char *prefix, uint32_t number)
{
	memset(caller, 0, sizeof *caller);
	snprintf(caller->invoker, sizeof caller->invoker, "%s_%" PRIu32, prefix, number);
	caller->sequence = options.seed + (uint64_t)number * UINT64_C(1000003);
}

/* artifact_N without snprintf: signal handlers come here too. */
static void artifact_name(char *buf, uint32_t number)
{
	char digits[12];
	int n = 0;

	do
		digits[n++] = (char)('0' + number % 10);
	while (number /= 10);
	memcpy(buf, "artifact_", 9);
	buf += 9;
	while (n)
		*buf++ = digits[--n];
	*buf = '\0';
}

int host_call(struct host_caller *caller, uint32_t artifact, uint32_t method, uint32_t code,
	      void (*inside)(void *), void *data)
{
	char name[24];
	artifact %= options.artifacts;
	method %= options.methods;
	code %= options.codes;
	uint32_t row = (artifact * options.methods + method) * options.codes + code;
	struct target_args args = {code_values[code], options.work_us, inside, data};

	artifact_name(name, artifact);
	caller->ctx.tick++;
	caller->open++;
	atomic_fetch_add_explicit(&truth->rows[row].begun, 1, memory_order_relaxed);
	errno = 77; /* a success must leave it alone, observed or not */
	int result = target_invoke(&caller->ctx, caller->invoker, name, method_names[method],
				   (int)(artifact % 5), &args);
	int left = errno;
	atomic_fetch_add_explicit(&truth->rows[row].returned, 1, memory_order_relaxed);
	caller->open--;
	uint64_t seen = (uint64_t)(uint32_t)result << 32 | (uint32_t)left;
	if (caller->ctx.last_error)
		for (const char *p = caller->ctx.last_error; *p; p++)
			seen = seen * 31 + (unsigned char)*p;
	caller->digest += host_mix(seen ^ row);
	errno = left;
	return result;
}

int host_call_next(struct host_caller *caller)
{
	uint64_t pick = host_mix(caller->sequence++);
	/* three calls of four succeed */
	uint32_t code = (pick >> 40 & 3) ? 0 : (uint32_t)(pick >> 48);
	return host_call(caller, (uint32_t)pick & 0xffffff, (uint32_t)(pick >> 24) & 0xff, code,
			 NULL, NULL);
}

void host_count_jumped(uint64_t calls)
{
	atomic_fetch_add(&truth->jumped, calls);
}

void host_count_inherited(uint64_t calls)
{
	atomic_fetch_add(&truth->inherited, calls);
}

void host_add_digest(uint64_t digest)
{
	atomic_fetch_add(&truth->digest, digest);
}

static void usage(FILE *to)
{
	fprintf(to,
		"%s\n"
		"options: --truth FILE --threads N --calls N --artifacts N --methods N --codes N\n"
		"         --depth N --work-us N --rate-us N --seed N --plugin FILE\n"
		"         --print-truth FILE   print a truth file as TSV and exit:\n"
		"                              artifact, method, code, begun, returned\n",
		host_about);
}

static uint32_t number(const char *text, uint32_t least)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	if (*end || n < least || n > UINT32_MAX) {
		fprintf(stderr, "host: bad number '%s'\n", text);
		exit(2);
	}
	return (uint32_t)n;
}

static const struct option long_options[] = {
	{"truth", 1, 0, 'T'},	  {"threads", 1, 0, 't'},     {"calls", 1, 0, 'c'},
	{"artifacts", 1, 0, 'a'}, {"methods", 1, 0, 'm'},     {"codes", 1, 0, 'C'},
	{"depth", 1, 0, 'd'},	  {"work-us", 1, 0, 'w'},     {"rate-us", 1, 0, 'r'},
	{"seed", 1, 0, 's'},	  {"print-truth", 1, 0, 'P'}, {"plugin", 1, 0, 'p'},
	{"state", 1, 0, 'S'},	  {"help", 0, 0, 'h'},	      {0, 0, 0, 0}};

static void parse(int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		switch (c) {
		case 'T':
			options.truth = optarg;
			break;
		case 't':
			options.threads = number(optarg, 1);
			break;
		case 'c':
			options.calls = number(optarg, 0);
			break;
		case 'a':
			options.artifacts = number(optarg, 1);
			break;
		case 'm':
			options.methods = number(optarg, 1);
			break;
		case 'C':
			options.codes = number(optarg, 1);
			break;
		case 'd':
			options.depth = number(optarg, 1);
			break;
		case 'w':
			options.work_us = number(optarg, 0);
			break;
		case 'r':
			options.rate_us = number(optarg, 1);
			break;
		case 's':
			options.seed = number(optarg, 0);
			break;
		case 'p':
			options.plugin = optarg;
			break;
		case 'S':
			options.state = optarg;
			break;
		case 'P':
			exit(truth_print(optarg));
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(2);
		}
	}
	if (options.methods > HOST_METHODS_MAX)
		options.methods = HOST_METHODS_MAX;
	if (options.codes > HOST_CODES_MAX)
		options.codes = HOST_CODES_MAX;
}

int main(int argc, char **argv)
{
	options.argc = argc;
	options.argv = argv;
	parse(argc, argv);
	truth_open();
	int status = host_run(&options);
	printf("digest %016" PRIx64 "\n", atomic_load(&truth->digest));
	return status;
}
