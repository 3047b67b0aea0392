// libseccomp: profile to BPF. Imported by Confinement/SeccompCompiler.swift alone.
// Macros that Swift cannot import are re-exported as constants.
#include <seccomp.h>
#include <stdint.h>

static const uint32_t CSECCOMP_ACT_KILL_PROCESS = SCMP_ACT_KILL_PROCESS;
static const uint32_t CSECCOMP_ACT_KILL_THREAD = SCMP_ACT_KILL_THREAD;
static const uint32_t CSECCOMP_ACT_TRAP = SCMP_ACT_TRAP;
static const uint32_t CSECCOMP_ACT_LOG = SCMP_ACT_LOG;
static const uint32_t CSECCOMP_ACT_ALLOW = SCMP_ACT_ALLOW;
static const uint32_t CSECCOMP_ACT_NOTIFY = SCMP_ACT_NOTIFY;
static inline uint32_t cseccomp_act_errno(uint16_t number) { return SCMP_ACT_ERRNO(number); }
static inline uint32_t cseccomp_act_trace(uint16_t number) { return SCMP_ACT_TRACE(number); }
