// Properties of a unit, and those that annotations add: `org.systemd.property.NAME`. Pure. See
// org.freedesktop.systemd1(5).

package import DBus
package import Diagnostics

/// A property to set.
package struct UnitProperty: Equatable, Sendable {
    package let name: String
    package let value: DBusValue

    package init(_ name: String, _ value: DBusValue) {
        self.name = name
        self.value = value
    }

    /// As an element of `a(sv)`.
    var wire: DBusValue { .structure([.string(name), .variant(value)]) }

    static let wireType = DBusType.structure([.string, .variant])
}

extension UnitProperty {
    static let annotationPrefix = "org.systemd.property."

    /// What decides where the container is; `linux.cgroupsPath` says that.
    private static let reserved = ["Slice", "PIDs", "PIDFDs", "Scope", "ControlGroup", "Controller"]

    /// The types of properties that are often asked for. Others are taken as they are written; systemd refuses them if
    /// they are of another type.
    private static let types: [(type: DBusType, names: [String])] = [
        (
            .uint64,
            [
                "TimeoutStopUSec", "RuntimeMaxUSec", "MemoryMin", "MemoryLow", "MemoryHigh", "MemoryMax",
                "MemorySwapMax", "MemoryLimit", "TasksMax", "CPUWeight", "CPUShares", "CPUQuotaPerSecUSec",
                "CPUQuotaPeriodUSec", "IOWeight", "BlockIOWeight",
            ]
        ),
        (
            .boolean,
            [
                "DefaultDependencies", "Delegate", "CPUAccounting", "MemoryAccounting", "IOAccounting",
                "BlockIOAccounting", "TasksAccounting", "IPAccounting", "SendSIGHUP", "SendSIGKILL",
            ]
        ),
        (.int32, ["KillSignal", "FinalKillSignal"]),
        (.string, ["CollectMode", "Description", "DevicePolicy", "KillMode", "OOMPolicy", "ManagedOOMMemoryPressure"]),
        (
            .array(.string),
            [
                "After", "Before", "Wants", "Requires", "Requisite", "BindsTo", "PartOf", "Conflicts", "Documentation",
            ]
        ),
    ]

    /// The property of an annotation; `nil` for an annotation of another kind.
    package init?(annotation key: String, _ text: String) throws(Failure) {
        guard key.hasPrefix(Self.annotationPrefix) else { return nil }
        let place = "annotations[\"\(key)\"]"
        var name = String(key.dropFirst(Self.annotationPrefix.utf8.count))
        guard name.utf8.count >= 3, name.utf8.allSatisfy(Self.isLetter) else {
            throw Failure(
                "\(place): \"\(name)\" is not the name of a property; three or more letters are",
                .configInvalid,
                subject: place
            )
        }
        guard !Self.reserved.contains(name) else {
            throw Failure(
                "\(place): \(name) is decided by linux.cgroupsPath; leave the annotation out",
                .configInvalid,
                subject: place
            )
        }
        do throws(PropertyProblem) {
            if name.hasSuffix("Sec"), !name.hasSuffix("USec") {
                name = name.dropLast(3) + "USec"
                self.init(name, .uint64(try Self.microseconds(text)))
            } else {
                let type = Self.types.first { $0.names.contains(name) }?.type
                self.init(name, try PropertyText.parse(text, as: type))
            }
        } catch {
            throw Failure("\(place): \(error.text)", .configInvalid, subject: place)
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }

    /// Seconds, whole or not, as the microseconds that the bus has.
    private static func microseconds(_ text: String) throws(PropertyProblem) -> UInt64 {
        let seconds: Double
        switch try PropertyText.parse(text) {
        case .byte(let number): seconds = Double(number)
        case .int16(let number): seconds = Double(number)
        case .uint16(let number): seconds = Double(number)
        case .int32(let number): seconds = Double(number)
        case .uint32(let number): seconds = Double(number)
        case .int64(let number): seconds = Double(number)
        case .uint64(let number): seconds = Double(number)
        case .double(let number): seconds = number
        case let other:
            throw PropertyProblem(text: "\(text) is of type \(PropertyText.name(other.type)), not a number of seconds")
        }
        guard let result = UInt64(exactly: (seconds * 1_000_000).rounded()) else {
            throw PropertyProblem(text: "\(text) is not a number of seconds")
        }
        return result
    }
}
