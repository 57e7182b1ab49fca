/* The one file that knows Paho: its callbacks, which copy and signal, and the calls of it. */
#include <MQTTAsync.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/link_impl.h"

enum {
	QOS0_WAITING_MAX = 1024, /* messages that Paho holds when the socket is slow */
	PACKET_OVERHEAD = 512,   /* topic and properties around a payload */
	URI_MAX = 300,
};

/* --- Paho's threads --- */

static void on_connected(void *context, MQTTAsync_successData5 *response)
{
	int max = 0;

	if (response && MQTTProperties_hasProperty(&response->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM))
		max = MQTTProperties_getNumericValue(&response->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM);
	link_on_connected(context, max > 0 ? (unsigned)max : 0);
}

static int refusal(enum MQTTReasonCodes code)
{
	return code >= MQTTREASONCODE_UNSPECIFIED_ERROR ? (int)code : 0;
}

static int refusal_of(const MQTTAsync_failureData5 *response)
{
	return response ? refusal(response->reasonCode) : 0;
}

/* An attempt or a subscription. */
static void on_failed(void *context, MQTTAsync_failureData5 *response)
{
	link_on_failed(context, refusal_of(response));
}

static void on_lost(void *context, char *cause)
{
	(void)cause; /* never set by this version */
	link_on_lost(context, 0);
}

/* The broker's DISCONNECT. */
static void on_disconnected(void *context, MQTTProperties *properties, enum MQTTReasonCodes code)
{
	(void)properties;
	link_on_lost(context, refusal(code));
}

static void on_subscribed(void *context, MQTTAsync_successData5 *response)
{
	if (refusal(response->reasonCode))
		link_on_failed(context, refusal(response->reasonCode));
	else
		link_on_granted(context);
}

static void on_watched(void *context, MQTTAsync_successData5 *response)
{
	link_on_watched(context, response ? (int)response->reasonCode : 0);
}

static void on_watch_failed(void *context, MQTTAsync_failureData5 *response)
{
	int code = refusal_of(response);

	link_on_watched(context, code ? code : -1);
}

static void on_closed(void *context, MQTTAsync_successData5 *response)
{
	(void)response;
	link_on_closed(context);
}

static void on_close_failed(void *context, MQTTAsync_failureData5 *response)
{
	(void)response;
	link_on_closed(context);
}

static void on_published(void *context, MQTTAsync_successData5 *response)
{
	link_on_answer(context, response ? (int)response->reasonCode : 0);
}

static void on_publish_failed(void *context, MQTTAsync_failureData5 *response)
{
	int code = refusal_of(response);

	link_on_answer(context, code ? code : -1);
}

/* Always takes the message: refusing it would make Paho deliver it again and again, in the way of all others. */
static int on_message(void *context, char *topic, int topic_len, MQTTAsync_message *message)
{
	link_on_message(context, topic, topic_len > 0 ? (size_t)topic_len : strlen(topic), message->payload,
	                message->payloadlen > 0 ? (size_t)message->payloadlen : 0, message->retained);
	MQTTAsync_freeMessage(&message);
	MQTTAsync_free(topic);
	return 1;
}

/* --- the owner's thread --- */

void link_paho_drop(struct gf_link *link)
{
	if (link->paho)
		MQTTAsync_destroy(&link->paho);
	link->paho = NULL;
}

static int make_handle(struct gf_link *link)
{
	MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer5;
	char uri[URI_MAX];

	if (link->paho)
		return 0;
	snprintf(uri, sizeof uri, strchr(link->config.host, ':') ? "ssl://[%s]:%u" : "ssl://%s:%u", link->config.host,
	         link->config.port);
	options.sendWhileDisconnected = 0;
	options.maxBufferedMessages = QOS0_WAITING_MAX;
	if (MQTTAsync_createWithOptions(&link->paho, uri, link->config.client_id, MQTTCLIENT_PERSISTENCE_NONE, NULL,
	                                &options) != MQTTASYNC_SUCCESS) {
		link->paho = NULL;
		return -ENOMEM;
	}
	if (MQTTAsync_setCallbacks(link->paho, link, on_lost, on_message, NULL) == MQTTASYNC_SUCCESS &&
	    MQTTAsync_setDisconnected(link->paho, link, on_disconnected) == MQTTASYNC_SUCCESS)
		return 0;
	link_paho_drop(link);
	return -EIO;
}

/* No session outlives the connection, and nothing larger than we take is sent to us. Made new each time, freed by the caller. */
static int connect_properties(const struct gf_link *link, MQTTProperties *ret_properties)
{
	MQTTProperty session_expiry = {.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL};
	MQTTProperty packet_max = {.identifier = MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE};

	session_expiry.value.integer4 = 0;
	packet_max.value.integer4 = (unsigned)(link->config.packet_max + PACKET_OVERHEAD);
	if (MQTTProperties_add(ret_properties, &session_expiry) == 0 &&
	    MQTTProperties_add(ret_properties, &packet_max) == 0)
		return 0;
	MQTTProperties_free(ret_properties);
	return -ENOMEM;
}

static MQTTAsync_SSLOptions tls_options(const struct gf_link_config *config)
{
	MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;

	tls.trustStore = config->ca_file;
	tls.keyStore = config->cert_file;
	tls.privateKey = config->key_file;
	tls.enableServerCertAuth = 1;
	tls.verify = 1;                            /* the host's name too */
	tls.sslVersion = MQTT_SSL_VERSION_TLS_1_2; /* or later */
	tls.disableDefaultTrustStore = 1;          /* our CA alone, not the system's */
	return tls;
}

/* Reads its argument only until MQTTAsync_connect returns, which copies everything. */
static int connect_with(struct gf_link *link, MQTTAsync_willOptions *will)
{
	MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer5;
	MQTTAsync_SSLOptions tls = tls_options(&link->config);
	MQTTProperties properties = MQTTProperties_initializer;
	int r = connect_properties(link, &properties);

	if (r < 0)
		return r;
	options.keepAliveInterval = (int)link->config.keepalive_s;
	options.cleanstart = 1;
	options.maxInflight = GF_LINK_WINDOW_MAX + 1; /* ours is the window; Paho's crawls when it is reached */
	options.connectTimeout =
	    2 * LINK_ATTEMPT_MAX_MS / 1000; /* never: ours is the deadline, and knows that it was one */
	options.ssl = &tls;
	options.will = will;
	options.connectProperties = &properties;
	options.context = link;
	options.onSuccess5 = on_connected;
	options.onFailure5 = on_failed;
	r = MQTTAsync_connect(link->paho, &options) == MQTTASYNC_SUCCESS ? 0 : -EIO;
	MQTTProperties_free(&properties);
	return r;
}

int link_paho_connect(struct gf_link *link, const struct gf_link_will *will)
{
	MQTTAsync_willOptions options = MQTTAsync_willOptions_initializer;
	int r = make_handle(link);

	if (r < 0)
		return r;
	if (!will)
		return connect_with(link, NULL);
	options.topicName = will->topic;
	options.payload.data = will->payload;
	options.payload.len = (int)will->len;
	options.qos = 1;
	options.retained = will->retained;
	return connect_with(link, &options);
}

/* One filter a call: of several, Paho reports success when all were refused. */
int link_paho_subscribe(struct gf_link *link)
{
	for (unsigned i = 0; i < link->subs_count; i++) {
		MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
		options.context = link;
		options.onSuccess5 = on_subscribed;
		options.onFailure5 = on_failed;
		if (MQTTAsync_subscribe(link->paho, link->subs[i].filter, link->subs[i].qos, &options) != MQTTASYNC_SUCCESS)
			return -ENOTCONN;
	}
	return 0;
}

/* Nobody waits for the answers: they could be taken for those of a later attempt. */
void link_paho_renew(struct gf_link *link)
{
	for (unsigned i = 0; i < link->subs_count; i++) {
		MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
		(void)MQTTAsync_subscribe(link->paho, link->subs[i].filter, link->subs[i].qos, &options);
	}
}

int link_paho_watch(struct gf_link *link, const char *filter, int qos, struct link_ask *ask)
{
	MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;

	options.context = ask;
	options.onSuccess5 = on_watched;
	options.onFailure5 = on_watch_failed;
	return MQTTAsync_subscribe(link->paho, filter, qos, &options) == MQTTASYNC_SUCCESS ? 0 : -ENOTCONN;
}

/* Nobody waits for the answer: what still comes is the owner's to ignore. */
void link_paho_unwatch(struct gf_link *link, const char *filter)
{
	MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;

	(void)MQTTAsync_unsubscribe(link->paho, filter, &options);
}

int link_paho_disconnect(struct gf_link *link)
{
	MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer5;

	options.timeout = 0; /* what is in flight has had its time */
	options.context = link;
	options.onSuccess5 = on_closed;
	options.onFailure5 = on_close_failed;
	return MQTTAsync_disconnect(link->paho, &options) == MQTTASYNC_SUCCESS ? 0 : -ENOTCONN;
}

static int send_error(int paho)
{
	switch (paho) {
	case MQTTASYNC_SUCCESS:
		return 0;
	case MQTTASYNC_DISCONNECTED:
		return -ENOTCONN;
	case MQTTASYNC_MAX_BUFFERED_MESSAGES:
	case MQTTASYNC_NO_MORE_MSGIDS:
		return -EAGAIN;
	default:
		return -EIO;
	}
}

int link_paho_send(struct gf_link *link, const char *topic, const void *payload, size_t len, bool retain,
                   uint32_t expiry_s, struct link_slot *slot)
{
	MQTTAsync_message message = MQTTAsync_message_initializer;
	MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
	MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL};
	int r;

	message.payload = (void *)payload; /* copied, not changed */
	message.payloadlen = (int)len;
	message.retained = retain;
	if (slot) {
		message.qos = 1;
		options.context = slot;
		options.onSuccess5 = on_published;
		options.onFailure5 = on_publish_failed;
	}
	expiry.value.integer4 = expiry_s;
	if (expiry_s > 0 && MQTTProperties_add(&message.properties, &expiry) != 0)
		return -ENOMEM;
	r = MQTTAsync_sendMessage(link->paho, topic, &message, &options);
	MQTTProperties_free(&message.properties);
	return send_error(r);
}
