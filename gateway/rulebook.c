#include "gateway/rulebook.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/log.h"

struct rulebook {
	char *path;
	pthread_mutex_t lock; /* of all below; what is in force is changed by the main loop alone */
	struct judgement_config *in_force, *ready;
};

static void config_free(struct judgement_config *config)
{
	if (config == NULL)
		return;
	judgement_config_deinit(config);
	free(config);
}

static int load(const char *path, struct judgement_config **ret_config, struct gf_diag *diag)
{
	struct judgement_config *config = calloc(1, sizeof(*config));
	int r = config != NULL ? rules_yaml_load(path, config, diag) : -ENOMEM;

	if (r != 0) {
		free(config);
		return r;
	}
	*ret_config = config;
	return 0;
}

static int without_rules(struct judgement_config **ret_config)
{
	struct judgement_config *config = calloc(1, sizeof(*config));

	if (config != NULL)
		config->rules = calloc(1, sizeof(*config->rules));
	if (config == NULL || config->rules == NULL) {
		free(config);
		return -ENOMEM;
	}
	*ret_config = config;
	return 0;
}

int rulebook_new(const char *path, bool optional, struct rulebook **ret_book, struct gf_diag *diag)
{
	struct rulebook *book = calloc(1, sizeof(*book));
	int r;

	if (book == NULL)
		return -ENOMEM;
	book->path = strdup(path);
	r = book->path != NULL ? load(path, &book->in_force, diag) : -ENOMEM;
	if (r == -ENOENT && optional)
		r = without_rules(&book->in_force);
	if (r != 0) {
		free(book->path);
		free(book);
		return r;
	}
	pthread_mutex_init(&book->lock, NULL);
	*ret_book = book;
	return 0;
}

void rulebook_free(struct rulebook *book)
{
	if (book == NULL)
		return;
	config_free(book->in_force);
	config_free(book->ready);
	pthread_mutex_destroy(&book->lock);
	free(book->path);
	free(book);
}

int rulebook_look(struct rulebook *book, int (*look)(void *ctx, const struct judgement_config *config), void *ctx)
{
	int r;

	pthread_mutex_lock(&book->lock);
	r = look(ctx, book->in_force);
	pthread_mutex_unlock(&book->lock);
	return r;
}

int rulebook_look_ahead(struct rulebook *book, int (*look)(void *ctx, const struct judgement_config *config), void *ctx)
{
	int r;

	pthread_mutex_lock(&book->lock);
	r = look(ctx, book->ready != NULL ? book->ready : book->in_force);
	pthread_mutex_unlock(&book->lock);
	return r;
}

int rulebook_read(struct rulebook *book, size_t *ret_rules, struct gf_diag *diag)
{
	return rulebook_read_noted(book, NULL, NULL, ret_rules, diag);
}

int rulebook_read_noted(struct rulebook *book, int (*note)(void *ctx, size_t rules, struct gf_diag *diag), void *ctx,
                        size_t *ret_rules, struct gf_diag *diag)
{
	struct judgement_config *config = NULL, *before;
	int r = load(book->path, &config, diag);

	if (r != 0)
		return r;
	r = note != NULL ? note(ctx, config->rules->count, diag) : 0;
	if (r != 0) {
		config_free(config);
		return r;
	}
	*ret_rules = config->rules->count;
	pthread_mutex_lock(&book->lock);
	before = book->ready;
	book->ready = config;
	pthread_mutex_unlock(&book->lock);
	config_free(before);
	return 0;
}

const struct judgement_config *rulebook_in_force(const struct rulebook *book)
{
	return book->in_force;
}

int rulebook_step(struct rulebook *book, struct judge_runner *runner, struct gf_time now, struct gf_diag *diag)
{
	struct judgement_config *config, *before = NULL;
	int r;

	pthread_mutex_lock(&book->lock);
	config = book->ready;
	book->ready = NULL;
	pthread_mutex_unlock(&book->lock);
	if (config == NULL)
		return 0;
	r = judge_runner_rules(runner, config, now, diag);
	pthread_mutex_lock(&book->lock);
	if (r == 0) {
		before = book->in_force;
		book->in_force = config;
	} else if (book->ready == NULL) {
		book->ready = config;
	} else {
		before = config; /* something newer was read meanwhile */
	}
	pthread_mutex_unlock(&book->lock);
	config_free(before);
	if (r == 0)
		gf_log(GF_LOG_NOTICE, "rules", "%zu rules are in force", config->rules->count);
	return r;
}
