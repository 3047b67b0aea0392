# The only front door: make demo, make check, make check-engines, make vm-check, make build, make install, make bench.
# Nothing is installed that is there.

PREFIX ?= /usr/local
DESTDIR ?=
SCRATCH := .build
STATIC := $(SCRATCH)/static
BINARY := $(SCRATCH)/apus

BUILD_PACKAGES := libseccomp-dev libcap-dev libselinux1-dev libpcre2-dev pkg-config
DEMO_PACKAGES := busybox-static
VM_PACKAGES := qemu-system-x86
ENGINE_PACKAGES := busybox-static python3 python3-grpcio python3-protobuf protobuf-compiler util-linux bsdutils iproute2 uidmap \
	crun podman conmon catatonit containernetworking-plugins buildah containerd docker.io tini
CHECK_PACKAGES := procps gcc libc6-dev strace runc debootstrap criu $(ENGINE_PACKAGES)

# The C libraries whose insides Sources/CLinux/libcstart.c knows: those of Debian 12 and 13.
GLIBC_START := $(if $(filter x86_64-2.36 x86_64-2.41,$(shell uname -m)-$(lastword $(shell getconf GNU_LIBC_VERSION))),-Xcc -DCLINUX_GLIBC_START)

# The whole program in one file, without shared libraries; see docs/decisions.
STATIC_FLAGS := -c release --product apus --scratch-path $(STATIC) \
	--static-swift-stdlib --experimental-lto-mode=full -Xcc -DCLINUX_STATIC $(GLIBC_START) -Xswiftc -Osize \
	-Xswiftc -static-executable -Xswiftc -use-ld=lld \
	-Xswiftc -Xfrontend -Xswiftc -disable-implicit-string-processing-module-import \
	-Xswiftc -Xfrontend -Xswiftc -disable-implicit-concurrency-module-import \
	-Xswiftc -Xfrontend -Xswiftc -function-sections \
	-Xlinker --entry=clinux_start -Xlinker --wrap=swift_getTypeByMangledNameInContext2 \
	-Xlinker --icf=all -Xlinker -s -Xlinker --gc-sections \
	-Xlinker --symbol-ordering-file=$(CURDIR)/Benchmarks/link-order.txt -Xlinker --no-warn-symbol-ordering

.PHONY: build demo check check-unit check-conformance check-engines check-format vm-check install bench clean
.PHONY: build-packages demo-packages check-packages engine-packages vm-packages

build: build-packages
	@echo "== building the release binary"
	@# The order of functions is nothing that the package manager looks at.
	@[ $(STATIC)/release/apus -nt Benchmarks/link-order.txt ] || rm -f $(STATIC)/release/apus
	@swift build $(STATIC_FLAGS) 2>&1 | grep -v "warning: Using 'dlopen' in statically linked" ; exit $${PIPESTATUS[0]}
	@cp $(STATIC)/release/apus $(BINARY).new && mv $(BINARY).new $(BINARY)
	@echo "== $(BINARY): $$(wc -c < $(BINARY)) bytes, static, stripped"

demo: build demo-packages
	@Tests/Demo/run $(abspath $(BINARY))

# Everything runs, whatever fails; the last line counts it all.
check: build check-packages
	@rm -rf $(SCRATCH)/results && mkdir -p $(SCRATCH)/results
	@$(MAKE) --no-print-directory --keep-going check-format check-unit check-conformance check-engines; status=$$?; \
		Tests/summary && exit $$status

check-format:
	@echo "== format"
	@mkdir -p $(SCRATCH)/results
	@if swift format lint --strict --recursive Sources Tests Package.swift; then \
		echo "1 passed, 0 failed" > $(SCRATCH)/results/format.txt; \
	else echo "0 passed, 1 failed" > $(SCRATCH)/results/format.txt; exit 1; fi

check-unit: build-packages
	@echo "== unit, golden, kernel-facing and lifecycle tests"
	@mkdir -p $(SCRATCH)/results
	@APUS_BINARY=$(abspath $(BINARY)) swift test 2>&1 | tee $(SCRATCH)/results/unit.txt; exit $${PIPESTATUS[0]}

check-conformance:
	@Tests/conformance $(abspath $(BINARY)) $(SCRATCH)/results

# In Debian guests under QEMU; PROFILE is quick, all, or a guest's name. See Tests/VM/README.md.
# podman, docker, containerd and buildah, for real; crun beside, so that a difference is not the machine's.
check-engines: build engine-packages
	@echo "== engines"
	@mkdir -p $(SCRATCH)/results
	@Tests/Engines/run --runtime $(abspath $(BINARY)) 2>&1 | tee $(SCRATCH)/results/engines.txt; exit $${PIPESTATUS[0]}

vm-check: build
	@Tests/VM/check $(or $(PROFILE),quick)

install: build
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/doc/apus
	install -m 0755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/apus
	install -m 0644 docs/apus.1 $(DESTDIR)$(PREFIX)/share/man/man1/apus.1
	install -m 0644 LICENSE $(DESTDIR)$(PREFIX)/share/doc/apus/LICENSE

bench: build check-packages
	@Benchmarks/bench --runtime apus=$(abspath $(BINARY)) $(if $(ROWS),--rows $(ROWS))

clean:
	rm -rf $(SCRATCH)

build-packages: ; @$(call need,$(BUILD_PACKAGES))
demo-packages: ; @$(call need,$(DEMO_PACKAGES))
check-packages: ; @$(call need,$(CHECK_PACKAGES))
engine-packages: ; @$(call need,$(ENGINE_PACKAGES))
vm-packages: ; @$(call need,$(VM_PACKAGES))

# Installs the Debian packages of a list that are missing, saying so; without root it says what to install.
define need
missing=""; for p in $(1); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
if [ -z "$$missing" ]; then exit 0; fi; \
if [ "$$(id -u)" != 0 ]; then echo "missing Debian packages:$$missing (install them as root)"; exit 1; fi; \
echo "== installing$$missing"; \
{ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $$missing; } >/tmp/apus-apt.log 2>&1 \
	|| { cat /tmp/apus-apt.log; exit 1; }
endef

SHELL := /bin/bash
