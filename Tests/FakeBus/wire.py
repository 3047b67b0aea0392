"""D-Bus bytes for the fake bus: an implementation of its own, so that the runtime's is held against another one.

Values travel as (signature, value); only what a service manager needs is here. Little-endian."""

import struct

FIXED = {"y": "B", "b": "I", "n": "h", "q": "H", "i": "i", "u": "I", "x": "q", "t": "Q", "d": "d"}
ALIGN = {"y": 1, "b": 4, "n": 2, "q": 2, "i": 4, "u": 4, "x": 8, "t": 8, "d": 8, "s": 4, "o": 4, "g": 1, "v": 1,
         "a": 4, "(": 8, "{": 8}
CALL, REPLY, ERROR, SIGNAL = 1, 2, 3, 4


def split(signature):
    """The single complete types of a signature."""
    types, index = [], 0
    while index < len(signature):
        end = end_of_type(signature, index)
        types.append(signature[index:end])
        index = end
    return types


def end_of_type(signature, index):
    letter = signature[index]
    if letter == "a":
        return end_of_type(signature, index + 1)
    if letter in "({":
        close = ")" if letter == "(" else "}"
        index += 1
        while signature[index] != close:
            index = end_of_type(signature, index)
        return index + 1
    return index + 1


def pad(out, boundary):
    out += b"\0" * (-len(out) % boundary)


def write(out, kind, value):
    pad(out, ALIGN[kind[0]])
    if kind in FIXED:
        out += struct.pack("<" + FIXED[kind], value)
    elif kind in "so":
        data = value.encode()
        out += struct.pack("<I", len(data)) + data + b"\0"
    elif kind == "g":
        out += bytes([len(value)]) + value.encode() + b"\0"
    elif kind == "v":
        write(out, "g", value[0])
        write(out, value[0], value[1])
    elif kind[0] == "a":
        place = len(out)
        out += b"\0\0\0\0"
        pad(out, ALIGN[kind[1]])
        start = len(out)
        for item in value:
            write(out, kind[1:], item)
        out[place:place + 4] = struct.pack("<I", len(out) - start)
    else:
        for member, item in zip(split(kind[1:-1]), value):
            write(out, member, item)


def read(data, at, kind):
    """A value and the offset behind it; variants become (signature, value)."""
    at += -at % ALIGN[kind[0]]
    if kind in FIXED:
        value = struct.unpack_from("<" + FIXED[kind], data, at)[0]
        return value, at + struct.calcsize("<" + FIXED[kind])
    if kind in "so":
        length = struct.unpack_from("<I", data, at)[0]
        return data[at + 4:at + 4 + length].decode(), at + 5 + length
    if kind == "g":
        return data[at + 1:at + 1 + data[at]].decode(), at + 2 + data[at]
    if kind == "v":
        inner, at = read(data, at, "g")
        value, at = read(data, at, inner)
        return (inner, value), at
    if kind[0] == "a":
        length = struct.unpack_from("<I", data, at)[0]
        at += 4
        at += -at % ALIGN[kind[1]]
        end, items = at + length, []
        while at < end:
            item, at = read(data, at, kind[1:])
            items.append(item)
        assert at == end
        return items, at
    items = []
    for member in split(kind[1:-1]):
        item, at = read(data, at, member)
        items.append(item)
    return items, at


FIELDS = {1: ("path", "o"), 2: ("interface", "s"), 3: ("member", "s"), 4: ("error", "s"), 5: ("reply", "u"),
          6: ("destination", "s"), 7: ("sender", "s"), 8: ("signature", "g")}


def message(kind, serial, signature="", values=(), **fields):
    body = bytearray()
    for part, value in zip(split(signature), values):
        write(body, part, value)
    if signature:
        fields["signature"] = signature
    numbers = {name: (number, code) for number, (name, code) in FIELDS.items()}
    head = bytearray(b"l" + bytes([kind, 0, 1]) + struct.pack("<II", len(body), serial))
    write(head, "a(yv)", [(numbers[name][0], (numbers[name][1], value)) for name, value in fields.items()])
    pad(head, 8)
    return bytes(head + body)


def parse(data):
    """A whole message as a dictionary."""
    assert data[0:1] == b"l" and data[3] == 1
    fields, _ = read(data, 12, "a(yv)")
    result = {"kind": data[1], "serial": struct.unpack_from("<I", data, 8)[0]}
    for number, (_, value) in fields:
        if number in FIELDS:
            result[FIELDS[number][0]] = value
    body = data[len(data) - struct.unpack_from("<I", data, 4)[0]:]
    at, values = 0, []
    for kind in split(result.get("signature", "")):
        value, at = read(body, at, kind)
        values.append(value)
    assert at == len(body)
    result["values"] = values
    return result


def length(prefix):
    body, fields = struct.unpack_from("<I", prefix, 4)[0], struct.unpack_from("<I", prefix, 12)[0]
    return 16 + fields + -fields % 8 + body
