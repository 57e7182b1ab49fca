"""A serial line between two pseudo-terminals, as slow as a real one: one direction at a time, eleven bits a byte. Bytes arrive at once,
and the line is taken for as long as they would be on it: a test machine that is busy makes it no slower.

    python3 line.py BAUD

prints the names of its two ends, the master's and the slave's, then a line for each request that has gone over it: "request", or
"wrong" and its bytes when the checksum is. (The peer takes any.)
"""
import os
import select
import sys
import time
import tty

READ_HOLDING, READ_INPUT, WRITE_ONE, WRITE_MANY = 3, 4, 6, 16
BITS_PER_BYTE = 11


def crc16(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def request_length(data):
    """Of the request that `data` begins with; None when that can't be said yet."""
    if len(data) < 2:
        return None
    if data[1] in (READ_HOLDING, READ_INPUT, WRITE_ONE):
        return 8
    if data[1] == WRITE_MANY:
        return 9 + data[6] if len(data) > 6 else None
    return len(data)  # no function of the map: wrong by its checksum, or by its name


def check(data):
    """Tells of the requests in `data`; returns what is left."""
    while (length := request_length(data)) is not None and len(data) >= length:
        request, data = data[:length], data[length:]
        print("request" if crc16(request) == 0 else f"wrong {request.hex()}", flush=True)
    return data


def carry(near, far, byte_s):
    free_at, rest = 0, b""
    while True:
        for source in select.select([near, far], [], [])[0]:
            time.sleep(max(0, free_at - time.monotonic()))
            data = os.read(source, 4096)
            free_at = max(free_at, time.monotonic()) + len(data) * byte_s
            os.write(far if source == near else near, data)
            if source == near:
                rest = check(rest + data)


def main():
    ends = [os.openpty() for _ in range(2)]  # both sides stay open: a terminal that nobody has open gives errors
    for _, end in ends:
        tty.setraw(end)
    print(*(os.ttyname(end) for _, end in ends), flush=True)
    carry(ends[0][0], ends[1][0], BITS_PER_BYTE / int(sys.argv[1]))


main()
