// swift-tools-version: 6.2
import PackageDescription

// Every Swift target of the runtime is compiled with the same strictness: data races, unmarked unsafe code and
// warnings are errors. See docs/ARCHITECTURE.md for what each target may import.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

func room(_ name: String, _ dependencies: Target.Dependency...) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: Target.Dependency...) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: [.swiftLanguageMode(.v6)])
}

/// A program that does privileged acts for tests: the test process itself never changes.
func probe(_ name: String, _ dependencies: Target.Dependency...) -> Target {
    .executableTarget(
        name: name,
        dependencies: dependencies,
        path: "Tests/\(name)",
        swiftSettings: [.swiftLanguageMode(.v6)]
    )
}

let package = Package(
    name: "apus",
    products: [
        .executable(name: "apus", targets: ["apus"]),
        .library(name: "OCISpec", targets: ["OCISpec"]),
    ],
    targets: [
        // What was asked for: pure, no system call.
        room("JSON"),
        room("OCISpec", "JSON"),
        room("KernelTypes"),
        room("Configuration", "OCISpec", "KernelTypes"),

        // How to ask the kernel, and how to say that it refused: nothing of OCI.
        .target(name: "CLinux"),
        room("LinuxSystem", "CLinux", "KernelTypes"),
        room("Diagnostics", "LinuxSystem"),

        // What to do with both.
        room("DBus", "LinuxSystem", "Diagnostics"),
        room("PathResolution", "KernelTypes", "LinuxSystem", "Diagnostics"),
        room("Rootfs", "KernelTypes", "Configuration", "PathResolution", "LinuxSystem", "Diagnostics"),
        room(
            "Confinement",
            "KernelTypes",
            "Configuration",
            "PathResolution",
            "LinuxSystem",
            "Diagnostics",
            "CSeccomp",
            "CCap",
            "CSELinux"
        ),
        room("Systemd", "DBus", "LinuxSystem", "Diagnostics"),
        room(
            "Cgroups",
            "KernelTypes",
            "Configuration",
            "PathResolution",
            "LinuxSystem",
            "Diagnostics",
            "Systemd",
            "DBus"
        ),
        room("Records", "Cgroups", "Systemd", "Configuration", "JSON", "KernelTypes", "LinuxSystem", "Diagnostics"),
        room(
            "Launch",
            "Systemd",
            "KernelTypes",
            "Records",
            "Rootfs",
            "Confinement",
            "Cgroups",
            "OCISpec",
            "JSON",
            "Configuration",
            "PathResolution",
            "LinuxSystem",
            "Diagnostics"
        ),
        room("CRIU", "Launch", "KernelTypes", "LinuxSystem", "Diagnostics"),
        room(
            "Lifecycle",
            "Systemd",
            "KernelTypes",
            "CRIU",
            "Launch",
            "Records",
            "Rootfs",
            "Confinement",
            "Cgroups",
            "Configuration",
            "PathResolution",
            "LinuxSystem",
            "Diagnostics",
            "OCISpec",
            "JSON"
        ),
        room(
            "RuntimeCLI",
            "Lifecycle",
            "CRIU",
            "Launch",
            "Records",
            "Confinement",
            "Configuration",
            "Diagnostics",
            "KernelTypes",
            "LinuxSystem",
            "OCISpec",
            "JSON"
        ),
        .executableTarget(name: "apus", dependencies: ["RuntimeCLI"], swiftSettings: strict),

        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(name: "CCap", pkgConfig: "libcap", providers: [.apt(["libcap-dev"])]),
        .systemLibrary(
            name: "CSELinux",
            pkgConfig: "libselinux",
            providers: [.apt(["libselinux1-dev", "libpcre2-dev"])]
        ),

        tests("JSONTests", "JSON", "OCISpec"),
        tests("ConfigurationTests", "Configuration", "OCISpec", "JSON", "KernelTypes"),
        tests("RuntimeCLITests", "RuntimeCLI", "Configuration", "JSON", "LinuxSystem", "OCISpec"),
        tests("RootfsTests", "Rootfs", "RootfsProbe", "Configuration", "KernelTypes"),
        tests("CgroupsTests", "Cgroups", "Configuration", "Diagnostics", "LinuxSystem", "CgroupProbe"),
        tests(
            "ConfinementTests",
            "Confinement",
            "ConfinementProbe",
            "Configuration",
            "KernelTypes",
            "Diagnostics",
            "LinuxSystem"
        ),
        tests("LifecycleTests", "apus", "DenyCalls"),
        tests(
            "LaunchTests",
            "CRIU",
            "Cgroups",
            "KernelTypes",
            "LinuxSystem",
            "Launch",
            "Lifecycle",
            "RuntimeCLI",
            "Confinement",
            "Configuration",
            "OCISpec",
            "JSON"
        ),
        tests("CRIUTests", "CRIU", "LinuxSystem"),
        tests("DBusTests", "DBus", "Diagnostics", "LinuxSystem"),
        tests("SystemdTests", "Systemd", "Cgroups", "Configuration", "DBus", "Diagnostics", "LinuxSystem"),
        tests("SourceRulesTests"),
        tests("DiagnosticsTests", "Diagnostics", "LinuxSystem"),
        tests("RecordsTests", "Records", "Cgroups", "Configuration", "Diagnostics", "LinuxSystem", "JSON", "OCISpec"),
        .executableTarget(name: "DenyCalls", path: "Tests/DenyCalls"),
        probe("RootfsProbe", "Rootfs", "Configuration", "KernelTypes", "LinuxSystem", "Diagnostics"),
        probe("CgroupProbe", "Cgroups", "KernelTypes", "Configuration", "Diagnostics", "LinuxSystem"),
        probe("ConfinementProbe", "Confinement", "Configuration", "KernelTypes", "Diagnostics", "LinuxSystem"),
    ]
)
