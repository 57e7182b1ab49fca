#include <stdio.h>
#include <string.h>

#include "agent/config_section.h"

#define OPTIONAL CYAML_FLAG_OPTIONAL
#define STRICT CYAML_FLAG_STRICT

enum { PORT = 502, BAUD = 19200, UNIT_MAX = 247, CARRIAGE_MAX_MM = 3000, AT_MAX = 96 };

/* The standard: even parity; its 'none' comes with a second stop bit. */
static const cyaml_strval_t parity_names[] = {{"even", 'E'}, {"odd", 'O'}, {"none", 'N'}};
static const cyaml_strval_t baud_names[] = {
    {"9600", 9600}, {"19200", 19200}, {"38400", 38400}, {"57600", 57600}, {"115200", 115200},
};

#define CARRIAGE_FIELD(s, n) CYAML_FIELD_UINT(n, OPTIONAL, struct config_carriage_yaml, mm[GF_AREA_##s]),
static const cyaml_schema_field_t carriage_fields[] = {
    GF_AREAS(CARRIAGE_FIELD) CYAML_FIELD_END,
};

#define TEXT_FIELD(key) CYAML_FIELD_STRING(#key, OPTIONAL, struct config_modbus_yaml, key, 1)
const cyaml_schema_field_t config_modbus_fields[] = {
    TEXT_FIELD(host),
    TEXT_FIELD(device),
    TEXT_FIELD(serial),
    CYAML_FIELD_UINT("port", OPTIONAL, struct config_modbus_yaml, port),
    CYAML_FIELD_UINT("unit", OPTIONAL, struct config_modbus_yaml, unit),
    CYAML_FIELD_ENUM("baud", OPTIONAL | STRICT, struct config_modbus_yaml, baud, baud_names,
                     CYAML_ARRAY_LEN(baud_names)),
    CYAML_FIELD_ENUM("parity", OPTIONAL | STRICT, struct config_modbus_yaml, parity, parity_names,
                     CYAML_ARRAY_LEN(parity_names)),
    CYAML_FIELD_BOOL("occupancy", OPTIONAL, struct config_modbus_yaml, occupancy),
    CYAML_FIELD_MAPPING_PTR("carriage_mm", OPTIONAL | CYAML_FLAG_POINTER, struct config_modbus_yaml, carriage_mm,
                            carriage_fields),
    CYAML_FIELD_END,
};

static bool has(const struct config_check *c, const char *key)
{
	char at[AT_MAX];
	snprintf(at, sizeof(at), "modbus.%s", key);
	return gf_yaml_has(c->doc, at);
}

/* What the driver would only fail to find. An IPv6 address has more than one colon. */
static int check_names(const struct config_check *c, const struct config_modbus_yaml *from)
{
	const char *colon = strchr(from->host, ':');
	if (colon != NULL && strchr(colon + 1, ':') == NULL)
		return gf_yaml_fail(c->doc, "modbus.host", c->diag, "the port of '%s' goes into modbus.port", from->host);
	if (has(c, "device") && from->device[0] != '/')
		return gf_yaml_fail(c->doc, "modbus.device", c->diag,
		                    "modbus.device is '%s'; expected a path such as /dev/ttyS0", from->device);
	return 0;
}

/* Either a wire or a network, and no key of the other. */
static int check_way(const struct config_check *c)
{
	if (has(c, "host") == has(c, "device"))
		return gf_yaml_fail(c->doc, "modbus", c->diag,
		                    "modbus needs either 'host' (Modbus TCP) or 'device' (a serial line)");
	if (has(c, "device") && has(c, "port"))
		return gf_yaml_fail(c->doc, "modbus.port", c->diag, "a serial line has no port; leave it out or write a host");
	if (has(c, "host") && has(c, "baud"))
		return gf_yaml_fail(c->doc, "modbus.baud", c->diag, "a network has no speed; leave it out or write a device");
	if (has(c, "host") && has(c, "parity"))
		return gf_yaml_fail(c->doc, "modbus.parity", c->diag,
		                    "a network has no parity; leave it out or write a device");
	return 0;
}

static int take_bus(const struct config_check *c, const struct config_modbus_yaml *from, struct mb_bus_config *bus)
{
	const unsigned port = has(c, "port") ? from->port : PORT, unit = has(c, "unit") ? from->unit : 1;
	int r;
	if ((r = check_way(c)) != 0 || (r = check_names(c, from)) != 0 ||
	    (r = config_in_range(c, "modbus.port", port, 1, UINT16_MAX)) != 0 ||
	    (r = config_in_range(c, "modbus.unit", unit, 1, UNIT_MAX)) != 0)
		return r;
	gf_strcpy(bus->host, sizeof(bus->host), from->host);
	gf_strcpy(bus->device, sizeof(bus->device), from->device);
	bus->port = (uint16_t)port;
	bus->unit = (uint8_t)unit;
	bus->baud = from->baud != 0 ? (uint32_t)from->baud : BAUD;
	bus->parity = from->parity != 0 ? (char)from->parity : 'E';
	return 0;
}

static int take_carriage(const struct config_check *c, const struct config_carriage_yaml *from,
                         struct mb_machine *machine)
{
	for (int area = 1; from != NULL && area < GF_AREA_COUNT; area++) {
		char at[AT_MAX];
		snprintf(at, sizeof(at), "modbus.carriage_mm.%s", gf_area_name((enum gf_area)area));
		if (!gf_yaml_has(c->doc, at))
			continue;
		int r = config_in_range(c, at, from->mm[area], 0, CARRIAGE_MAX_MM);
		if (r != 0)
			return r;
		machine->carriage_areas |= 1U << area;
		machine->carriage_mm[area] = (uint16_t)from->mm[area];
	}
	return 0;
}

int config_modbus_take(const struct config_check *c, const struct config_modbus_yaml *from, struct agent_config *config)
{
	struct modbus_config *modbus = &config->modbus;
	int r;

	if (from == NULL)
		return gf_yaml_fail(c->doc, "driver", c->diag,
		                    "driver: modbus needs a section 'modbus:' with 'host' or 'device'");
	modbus->class = config->class;
	modbus->machine.occupancy = !has(c, "occupancy") || from->occupancy;
	gf_strcpy(modbus->serial, sizeof(modbus->serial), from->serial);
	r = take_bus(c, from, &modbus->bus);
	return r != 0 ? r : take_carriage(c, from->carriage_mm, &modbus->machine);
}
