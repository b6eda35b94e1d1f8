/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: base */
/*
 * The log. The only mutable globals of the program live behind this header.
 *
 * A line: subject, fact, consequence. Every foreign byte goes through text_escape()
 * before it comes here; as a second wall log_write() replaces control bytes. A line is
 * at most 1,000 bytes. Writing never blocks: what the sink does not take at once is
 * dropped and counted, and the count is said when it takes lines again.
 *
 * System calls after log_open(), for who filters them: sendto (to stderr where that is a
 * socket, or to /dev/log), poll and write; with syslog also clock_gettime and getpid.
 *
 * LOG_ERR: cannot do its duty. LOG_WARNING: will retry, and when. LOG_NOTICE: the world
 * changed. LOG_INFO: did what was asked. LOG_DEBUG. Nothing in steady state.
 */
#ifndef HAIRPIN_LOG_H
#define HAIRPIN_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <syslog.h>

enum log_target { LOG_TO_STDERR, LOG_TO_SYSLOG };

/*
 * `name` appears in syslog ("hairpind"). Before this call lines go to stderr at LOG_NOTICE.
 * To stderr: lines carry "<N>" priorities where stderr is the journal: a child that is to
 * do the same needs $JOURNAL_STREAM in its environment.
 */
void log_open(const char *name, enum log_target target, int level);
void log_set_level(int level);
int log_level(void);

/* "err" "warning" "notice" "info" "debug" to LOG_*; false if none of them. */
bool log_parse_level(const char *name, int *ret_level);
const char *log_level_name(int level);

void log_write(int level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void log_writev(int level, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

#define log_error(...)   log_write(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)  log_write(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)    log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_DEBUG, __VA_ARGS__)

#endif
