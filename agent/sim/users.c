#include "agent/sim/users.h"

#include "proto/base/span.h"

#include <math.h>

enum {
	DAY_MIN = 24 * 60,
	LOOK_AHEAD_MIN = 14 * DAY_MIN,
	ASK_MS = 3000,
	THINK_MS = 4000,
	TRIES_MAX = 5,
	PRESS_MS = 100,
	LEAVE_MS = 2000,
	STAFF_COMES_MS = 2 * GF_MINUTE_MS,
	STAFF_HOLDS_MS = 5000,
	QUEUE_MS = 1000, /* until the next one of a queue steps up */
	SITTING_GUESS_MS = 10 * GF_MINUTE_MS,
	REGULARS = 400, /* people with a token */
	KEENEST = 1,
	BACK_MIN_S = 3600,
	BACK_MAX_S = 4 * 3600,
	THERAPISTS = 3,
	BADGE_MS = 2500,
	EPOCH_WEEKDAY = 4, /* 1970-01-01 was a Thursday; 0 = Sunday */
};

/* Before work, at noon, after work; and how the week goes. */
static const double hour_weight[24] = {0.15, 0.1, 0.1, 0.1, 0.15, 0.4, 0.9, 1.2, 1.1, 0.8, 0.7, 0.9,
                                       1.1,  0.9, 0.7, 0.8, 1.1,  1.6, 1.9, 1.8, 1.4, 0.9, 0.5, 0.25};
static const double weekday_weight[7] = {0.75, 1.15, 1.1, 1.1, 1.05, 0.95, 0.9};

/* --- when people come -------------------------------------------------------------------------------------------- */

/* Rounding down, so that a clock before 1970 has its hours and weekdays too. */
static int64_t floor_div(int64_t value, int64_t by)
{
	return value / by - (value % by < 0 ? 1 : 0);
}

static int64_t floor_mod(int64_t value, int64_t by)
{
	return value - floor_div(value, by) * by;
}

static bool open_at(const struct sim_config *config, uint32_t minute)
{
	if (config->opens_min == config->closes_min)
		return true;
	if (config->opens_min < config->closes_min)
		return minute >= config->opens_min && minute < config->closes_min;
	return minute >= config->opens_min || minute < config->closes_min;
}

/* How much people want to come at this minute of local time; 0 while it is closed. */
static double weight_at(const struct sim_config *config, int64_t local_min)
{
	const int64_t day = floor_div(local_min, DAY_MIN);
	const uint32_t minute = (uint32_t)floor_mod(local_min, DAY_MIN);
	return open_at(config, minute) ? hour_weight[minute / 60] * weekday_weight[floor_mod(day + EPOCH_WEEKDAY, 7)] : 0;
}

static double mean_weight(const struct sim_config *config)
{
	double sum = 0;
	unsigned open = 0;
	for (int64_t minute = 0; minute < (int64_t)7 * DAY_MIN; minute += 10) {
		const double weight = weight_at(config, minute);
		sum += weight;
		open += weight > 0 ? 1 : 0;
	}
	return open > 0 ? sum / open : 1;
}

/* A Poisson process whose rate follows the hour: the drawn amount of wanting is used up minute by minute. */
static int64_t next_arrival(struct users *users, int64_t mono_ms)
{
	const struct sim_config *config = &users->config;
	const double busy = fmin(config->busy, 0.95);
	if (!(busy > 0) || config->routines == 0)
		return INT64_MAX;
	if (config->busy >= 1)
		return mono_ms + (int64_t)gf_prng_below(&users->prng, QUEUE_MS);
	const double gap_min = users->sitting_ms * (1 - busy) / busy / GF_MINUTE_MS;
	double wanting = -log(1 - gf_prng_unit(&users->prng)) * gap_min * users->weight_mean;
	const int64_t wall_ms = mono_ms + config->mono_to_wall_ms + (int64_t)config->utc_offset_min * GF_MINUTE_MS;

	/* Minutes of the wall clock: in the last one before closing time nobody comes after it. The first one has begun already. */
	const int64_t into_minute_ms = floor_mod(wall_ms, GF_MINUTE_MS);
	int64_t gone_ms = into_minute_ms;
	for (int64_t minute = 0; minute < LOOK_AHEAD_MIN; minute++, gone_ms = 0) {
		const double weight = weight_at(config, floor_div(wall_ms, GF_MINUTE_MS) + minute);
		const double left = weight * (double)(GF_MINUTE_MS - gone_ms) / GF_MINUTE_MS;
		if (wanting < left)
			return mono_ms - into_minute_ms + minute * GF_MINUTE_MS + gone_ms +
			       (int64_t)(wanting / weight * GF_MINUTE_MS);
		wanting -= left;
	}
	return mono_ms + (int64_t)LOOK_AHEAD_MIN * GF_MINUTE_MS;
}

/* --- what they do ------------------------------------------------------------------------------------------------ */

static bool chance(struct users *users, double share)
{
	return gf_prng_unit(&users->prng) < share;
}

static int64_t between_s(struct users *users, uint64_t low, uint64_t high)
{
	return (int64_t)((low + gf_prng_below(&users->prng, high - low + 1)) * 1000);
}

/* A button after the one before it, so many seconds later. */
static void plan(struct users *users, int64_t *at_ms, uint64_t low_s, uint64_t high_s, enum users_button button)
{
	*at_ms += between_s(users, low_s, high_s);
	if (users->actions_count < USERS_ACTIONS_MAX)
		users->actions[users->actions_count++] = (struct users_action){*at_ms, button};
}

/* Four of five let the routine play to its end; times only grow, for the buttons are pressed in this order. */
static void plan_session(struct users *users)
{
	int64_t at_ms = 0;

	users->actions_count = users->actions_done = 0;
	if (chance(users, 0.2)) {
		const enum users_button turn = chance(users, 0.6) ? USERS_UP : USERS_DOWN;
		plan(users, &at_ms, 20, 60, turn);
	}
	if (chance(users, 0.0015)) {
		plan(users, &at_ms, 20, 120, USERS_PAIN);
		if (chance(users, 0.2))
			plan(users, &at_ms, 10, 60, USERS_PAIN);
	}
	if (chance(users, 0.08)) {
		plan(users, &at_ms, 20, 120, USERS_PAUSE);
		/* A few don't come back. */
		if (!chance(users, 0.08))
			plan(users, &at_ms, 15, 120, USERS_PAUSE);
	} else if (chance(users, 0.16)) {
		const enum users_button who = chance(users, 0.08) ? USERS_STAFF_STOP : USERS_STOP;
		plan(users, &at_ms, 30, 400, who);
	}
}

static void to_nobody(struct users *users, int64_t mono_ms)
{
	users->state = USERS_NOBODY;
	users->since_ms = mono_ms;
	users->arrives_ms = next_arrival(users, mono_ms);
}

/* The keenest has one of the stronger ones of a gun. */
static uint16_t favourite(const struct users *users)
{
	const uint64_t routines = users->config.routines;
	return (uint16_t)(1 + (users->regular + routines / 2 + 2) % routines);
}

static void to_asking(struct users *users, int64_t mono_ms)
{
	users->state = USERS_ASKING;
	users->since_ms = mono_ms;
	users->tries++;
	users->routine = (uint16_t)(1 + gf_prng_below(&users->prng, users->config.routines));
	if (users->regular != 0 && chance(users, 0.7))
		users->routine = favourite(users);
	/* Who holds a gun to somebody has turned its key before; who uses it alone has no key. */
	users->staff = chance(users, 0.1) && users->config.class != GF_CLASS_PERCUSSION;
}

/* Whoever gave up tells the desk. */
static void to_staff(struct users *users, int64_t mono_ms)
{
	users->state = USERS_STAFF;
	users->since_ms = mono_ms;
}

/* The n-th of the people of this place, counted from 1; staff after the regulars. Never 0. */
static uint64_t badge_of(const struct users *users, uint64_t n)
{
	const uint64_t place = users->config.people != 0 ? users->config.people : users->config.seed;
	return (place ^ n * 0x9e3779b97f4a7c15ULL) | 1;
}

/* Some come far more often than others: one in fifty visits is the first one's, one in six hundred each of the last. */
static uint64_t draw_regular(struct users *users)
{
	const double draw = gf_prng_unit(&users->prng);
	return 1 + (uint64_t)(pow(draw, 1.5) * REGULARS);
}

/* The keenest stays for another session, and comes back on the same day. */
static void choose_regular(struct users *users, int64_t mono_ms)
{
	const bool back = users->back_ms != 0 && mono_ms >= users->back_ms;
	users->regular = back ? KEENEST : draw_regular(users);
	users->token = badge_of(users, users->regular);
	users->again = chance(users, users->regular == KEENEST ? 0.7 : 0.02);
	if (back)
		users->back_ms = 0;
	else if (users->regular == KEENEST && chance(users, 0.6))
		users->back_ms = mono_ms + between_s(users, BACK_MIN_S, BACK_MAX_S);
}

/* The first does two thirds of the work. */
static void choose_therapist(struct users *users)
{
	uint64_t n = 0;
	while (n + 1 < THERAPISTS && chance(users, 1.0 / 3))
		n++;
	users->therapist = badge_of(users, REGULARS + 1 + n);
}

static void arrive(struct users *users, int64_t mono_ms)
{
	users->came_ms = mono_ms;
	users->tries = 0;
	users->token = users->therapist = users->regular = 0;
	users->again = false;
	if ((users->back_ms != 0 && mono_ms >= users->back_ms) || chance(users, (double)users->config.tokens))
		choose_regular(users, mono_ms);
	if (users->config.class == GF_CLASS_PERCUSSION && chance(users, (double)users->config.staffed))
		choose_therapist(users);
	if (users->therapist == 0) {
		to_asking(users, mono_ms);
		return;
	}
	users->state = USERS_BADGING;
	users->since_ms = mono_ms;
}

static void to_using(struct users *users, int64_t mono_ms)
{
	users->state = USERS_USING;
	users->since_ms = mono_ms;
	users->stopped_ms = 0;
	users->press_until_ms = 0;
	plan_session(users);
}

static void leave(struct users *users, int64_t mono_ms)
{
	users->sitting_ms += ((double)(mono_ms - users->came_ms) - users->sitting_ms) / 8;
	if (users->again) {
		users->again = false;
		users->came_ms = mono_ms;
		users->tries = 0;
		to_asking(users, mono_ms);
	} else if (users->therapist != 0) {
		users->state = USERS_LEAVING;
		users->since_ms = mono_ms;
	} else {
		to_nobody(users, mono_ms);
	}
}

/* Goes when the machine has been at rest for a moment; how long people stay is learnt from it. */
static void watch(struct users *users, int64_t mono_ms, bool runs)
{
	if (runs)
		users->stopped_ms = 0;
	else if (users->stopped_ms == 0)
		users->stopped_ms = mono_ms;
	else if (mono_ms - users->stopped_ms >= LEAVE_MS)
		leave(users, mono_ms);
}

static void move_on(struct users *users, int64_t mono_ms, enum driver_command command)
{
	const bool runs = command == DRIVER_START || command == DRIVER_PAUSE;

	switch (users->state) {
	case USERS_NOBODY:
		if (mono_ms >= users->arrives_ms)
			arrive(users, mono_ms);
		break;
	case USERS_BADGING:
		if (mono_ms - users->since_ms >= BADGE_MS)
			to_asking(users, mono_ms);
		break;
	case USERS_LEAVING:
		if (mono_ms - users->since_ms >= BADGE_MS)
			to_nobody(users, mono_ms);
		break;
	case USERS_ASKING:
		if (runs)
			to_using(users, mono_ms);
		else if (mono_ms - users->since_ms >= ASK_MS) {
			users->state = USERS_THINKING;
			users->since_ms = mono_ms;
		}
		break;
	case USERS_THINKING:
		if (mono_ms - users->since_ms < THINK_MS)
			break;
		if (users->tries < TRIES_MAX)
			to_asking(users, mono_ms);
		else if (chance(users, 0.5))
			to_staff(users, mono_ms);
		else
			to_nobody(users, mono_ms);
		break;
	case USERS_STAFF:
		if (mono_ms - users->since_ms >= STAFF_COMES_MS + STAFF_HOLDS_MS)
			to_nobody(users, mono_ms);
		break;
	case USERS_USING:
		watch(users, mono_ms, runs);
		break;
	}
}

/* A button goes down at its time, stays for a moment and for at least one reading. */
static void press(struct users *users, int64_t mono_ms, struct driver_panel *panel)
{
	if (users->actions_done == users->actions_count)
		return;
	const struct users_action *action = &users->actions[users->actions_done];
	if (mono_ms - users->since_ms < action->after_ms)
		return;
	if (users->press_until_ms == 0) {
		users->press_until_ms = mono_ms + PRESS_MS;
	} else if (mono_ms >= users->press_until_ms) {
		users->press_until_ms = 0;
		users->actions_done++;
		return;
	}
	panel->stop = action->button == USERS_STOP || action->button == USERS_STAFF_STOP;
	panel->staff_key = action->button == USERS_STAFF_STOP;
	panel->pause = action->button == USERS_PAUSE;
	panel->pain = action->button == USERS_PAIN;
	panel->intensity_up = action->button == USERS_UP;
	panel->intensity_down = action->button == USERS_DOWN;
}

void users_init(struct users *users, const struct sim_config *config, uint64_t lives)
{
	*users = (struct users){
	    .config = *config,
	    .sitting_ms = SITTING_GUESS_MS,
	    .weight_mean = mean_weight(config),
	};
	users->config.journal_path = NULL;
	gf_prng_seed(&users->prng, config->seed + lives * 0x9e3779b97f4a7c15ULL);
}

bool users_step(struct users *users, int64_t mono_ms, enum driver_command command, struct driver_panel *ret_panel)
{
	*ret_panel = (struct driver_panel){0};
	if (!users->begun) {
		users->begun = true;
		to_nobody(users, mono_ms);
	}
	move_on(users, mono_ms, command);
	if (users->state == USERS_ASKING) {
		ret_panel->routine = users->routine;
		ret_panel->staff_key = users->staff;
	}
	if (users->state == USERS_BADGING || users->state == USERS_LEAVING)
		ret_panel->staff_key = true;
	if (users->state == USERS_STAFF)
		ret_panel->staff_key = mono_ms - users->since_ms >= STAFF_COMES_MS;
	if (users->state == USERS_USING)
		press(users, mono_ms, ret_panel);
	const bool somebody = users->state != USERS_NOBODY && users->state != USERS_STAFF && users->state != USERS_LEAVING;
	ret_panel->subject_token = !somebody ? 0 : users->state == USERS_BADGING ? users->therapist : users->token;
	return somebody;
}

int64_t users_next_ms(const struct users *users, int64_t mono_ms)
{
	return users->begun && users->state == USERS_NOBODY ? users->arrives_ms : mono_ms;
}
