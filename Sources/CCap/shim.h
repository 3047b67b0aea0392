// libcap: capability names and the last capability of this kernel. Imported by Confinement/CapabilityStage.swift alone.
#include <sys/capability.h>
