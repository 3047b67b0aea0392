// libselinux: is SELinux on, is this label valid. Imported by Confinement/SELinux.swift alone.
#include <selinux/selinux.h>
