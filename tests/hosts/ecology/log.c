/* SPDX-License-Identifier: MIT */
/* log.c - the ecology's own count of invocations: what it would say if asked. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "ecology.h"

#define ROWS 16384 /* a power of two, far more than artifacts x methods x results */

struct row {
	char artifact[40];
	char method[24];
	int result;
	uint64_t count;
};

static struct row rows[ROWS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static uint32_t hash(const char *text, uint32_t h)
{
	while (*text)
		h = (h ^ (unsigned char)*text++) * 16777619u;
	return h;
}

void log_count(const char *artifact_id, const char *method, int result)
{
	uint32_t at = hash(method, hash(artifact_id, 2166136261u + (uint32_t)result));

	pthread_mutex_lock(&lock);
	for (uint32_t i = 0; i < ROWS; i++, at++) {
		struct row *row = &rows[at % ROWS];
		if (!row->count) {
			snprintf(row->artifact, sizeof row->artifact, "%s", artifact_id);
			snprintf(row->method, sizeof row->method, "%s", method);
			row->result = result;
		} else if (row->result != result || strcmp(row->method, method) != 0 ||
			   strcmp(row->artifact, artifact_id) != 0) {
			continue;
		}
		row->count++;
		break;
	}
	pthread_mutex_unlock(&lock);
}

uint64_t log_total(int result_or_one)
{
	uint64_t total = 0;

	pthread_mutex_lock(&lock);
	for (uint32_t i = 0; i < ROWS; i++)
		if (result_or_one == 1 || rows[i].result == result_or_one)
			total += rows[i].count;
	pthread_mutex_unlock(&lock);
	return total;
}

int log_write(const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f) {
		perror(path);
		return -1;
	}
	fprintf(f, "#artifact\tmethod\tcode\tcount\n");
	pthread_mutex_lock(&lock);
	for (uint32_t i = 0; i < ROWS; i++)
		if (rows[i].count)
			fprintf(f, "%s\t%s\t%d\t%" PRIu64 "\n", rows[i].artifact, rows[i].method,
				rows[i].result, rows[i].count);
	pthread_mutex_unlock(&lock);
	return fclose(f);
}
