// The first use of a generic type, made short. Swift writes the name of such a type where it is used, and at the first use
// libswiftCore takes the name apart with the machinery for any name: 5 us each, some fifty times in a `run`, nearly always for
// `Container<Element>` without more, such as the storage of an array. There both types have a function that gives them.
//
// The linker leads the calls here (`--wrap`, Makefile); any other name goes on to libswiftCore. The layout is that of
// Swift's binary interface, swift/ABI/Metadata.h and docs/ABI/Mangling.rst. Measured, and how it breaks: docs/decisions/0022.

#include "CLinux.h"

#ifdef CLINUX_STATIC

#include <string.h>

struct type_response { const void *type; size_t state; };
typedef __attribute__((swiftcall)) struct type_response type_accessor(size_t request, const void *argument);

struct type_descriptor {
    uint32_t flags;
    int32_t parent, name, accessor;  // relative to where they stand, like all that follow
};

enum { DIRECT = 1, INDIRECT = 2, KIND = 0x1f, CLASS = 16, ENUMERATION = 18, GENERIC = 0x80 };

static const struct type_descriptor *referenced(const char *reference) {
    int32_t distance;
    memcpy(&distance, reference + 1, sizeof distance);
    const void *place = reference + 1 + distance;
    if (*reference == DIRECT) return place;
    return *reference == INDIRECT ? *(const struct type_descriptor *const *)place : NULL;
}

static type_accessor *accessor(const struct type_descriptor *type) {
    return (type_accessor *)((const char *)&type->accessor + type->accessor);
}

static int is_nominal(const struct type_descriptor *type) {
    return (type->flags & KIND) >= CLASS && (type->flags & KIND) <= ENUMERATION && type->accessor != 0;
}

// Whether the type has one parameter, and its accessor asks for no conformance beside it.
static int takes_one_type(const struct type_descriptor *type) {
    enum { CLASS_SIZE = 44, VALUE_SIZE = 28, KEY_ARGUMENTS = 12 };
    if (!(type->flags & GENERIC) || !is_nominal(type)) return 0;
    uint16_t count;
    memcpy(&count, (const char *)type + ((type->flags & KIND) == CLASS ? CLASS_SIZE : VALUE_SIZE) + KEY_ARGUMENTS, sizeof count);
    return count == 1;
}

extern const char string_type[] __asm__("$sSSN"), substring_type[] __asm__("$sSsN"), integer_type[] __asm__("$sSiN");
extern const char array_descriptor[] __asm__("$sSaMn"), optional_descriptor[] __asm__("$sSqMn");

// The type of a name of one of these forms; NULL for any other. String, Substring, Int: SS, Ss, Si. One without parameters: a
// reference. `Container<Element>`: the container, y, the element, G; `[Element]` Say, the element, G; `Element?` the element, Sg.
static const void *type_named(const char *name, size_t length) {
    if (length == 2 && name[0] == 'S') {
        return name[1] == 'S' ? string_type : name[1] == 's' ? substring_type : name[1] == 'i' ? integer_type : NULL;
    }
    const struct type_descriptor *container = NULL;
    size_t before = 0, after = 1;
    if (length > 2 && name[length - 2] == 'S' && name[length - 1] == 'g') container = (const void *)optional_descriptor, after = 2;
    else if (length > 4 && memcmp(name, "Say", 3) == 0 && name[length - 1] == 'G') container = (const void *)array_descriptor, before = 3;
    else if (length > 6 && name[5] == 'y' && name[length - 1] == 'G') container = referenced(name), before = 6;
    if (container == NULL) {
        const struct type_descriptor *type = length == 5 ? referenced(name) : NULL;
        return type != NULL && is_nominal(type) && !(type->flags & GENERIC) ? accessor(type)(0, NULL).type : NULL;
    }
    const void *element = takes_one_type(container) ? type_named(name + before, length - before - after) : NULL;
    return element != NULL ? accessor(container)(0, element).type : NULL;
}

__attribute__((swiftcall)) const void *__real_swift_getTypeByMangledNameInContext2(
    const char *name, size_t length, const void *context, const void *const *arguments);

__attribute__((swiftcall)) const void *__wrap_swift_getTypeByMangledNameInContext2(
    const char *name, size_t length, const void *context, const void *const *arguments) {
    const void *type = type_named(name, length);
    return type != NULL ? type : __real_swift_getTypeByMangledNameInContext2(name, length, context, arguments);
}

#endif
