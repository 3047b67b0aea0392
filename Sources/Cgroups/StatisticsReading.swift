// Readers of the forms in which the kernel writes what it counts, common to both versions. A file that is not there
// counts nothing.

internal import Configuration
internal import Diagnostics
internal import LinuxSystem

extension CgroupDirectory {
    /// A file with one number; `max` is the largest.
    func count(_ file: String) throws(Failure) -> UInt64 {
        guard let text = try readIfPresent(file) else { return 0 }
        return text == "max" ? .max : UInt64(text) ?? 0
    }

    /// Lines of a name and a number.
    func counts(_ file: String) throws(Failure) -> [(name: String, value: UInt64)] {
        StatisticsText.counts(try readIfPresent(file) ?? "")
    }

    /// A list of processors or memory nodes.
    func numbers(_ file: String) throws(Failure) -> [Int] {
        StatisticsText.numbers(try readIfPresent(file) ?? "")
    }

    /// Stall information; `nil` where the kernel keeps none.
    func pressure(_ file: String) throws(Failure) -> CgroupStatistics.Pressure? {
        do throws(Failure) {
            return try readIfPresent(file).flatMap(StatisticsText.pressure)
        } catch  where error.errno == .ENOTSUP {
            // Switched off at boot.
            return nil
        }
    }
}

/// The kernel's text forms. Pure.
enum StatisticsText {
    static func counts(_ text: String) -> [(name: String, value: UInt64)] {
        text.split(separator: "\n" as Character).compactMap { line in
            let words = line.split(separator: " " as Character)
            guard words.count == 2, let value = UInt64(words[1]) else { return nil }
            return (String(words[0]), value)
        }
    }

    static func numbers(_ text: String) -> [Int] {
        guard let list = NumberList(text) else { return [] }
        return list.words.enumerated().flatMap { index, word in
            (0..<UInt.bitWidth).filter { word >> UInt($0) & 1 == 1 }.map { index * UInt.bitWidth + $0 }
        }
    }

    /// `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, and the same for `full`.
    static func pressure(_ text: String) -> CgroupStatistics.Pressure? {
        var pressure = CgroupStatistics.Pressure()
        for line in text.split(separator: "\n" as Character) {
            let words = line.split(separator: " " as Character)
            var found = CgroupStatistics.Pressure.Line()
            for word in words.dropFirst() {
                let halves = word.split(separator: "=" as Character)
                guard halves.count == 2 else { return nil }
                switch halves[0] {
                case "avg10": found.average10 = Double(halves[1]) ?? 0
                case "avg60": found.average60 = Double(halves[1]) ?? 0
                case "avg300": found.average300 = Double(halves[1]) ?? 0
                case "total": found.total = UInt64(halves[1]) ?? 0
                default: continue
                }
            }
            if words.first == "some" { pressure.some = found }
            if words.first == "full" { pressure.full = found }
        }
        return pressure
    }

    /// `8:0 Read 4096`: a device, a kind of operation, a number. The sums at the end are left out.
    static func legacyBlockEntries(_ text: String) -> [CgroupStatistics.BlockEntry] {
        text.split(separator: "\n" as Character).compactMap { line in
            let words = line.split { $0 == " " || $0 == ":" }
            guard words.count == 4, let major = UInt64(words[0]), let minor = UInt64(words[1]),
                let value = UInt64(words[3])
            else { return nil }
            return CgroupStatistics.BlockEntry(
                major: major,
                minor: minor,
                operation: String(words[2]),
                value: value
            )
        }
    }

    /// `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6`, in the terms of v1.
    static func unifiedBlockEntries(_ text: String) -> CgroupStatistics.BlockIO {
        let names = [
            ("rbytes", "Read", true), ("wbytes", "Write", true), ("dbytes", "Discard", true),
            ("rios", "Read", false), ("wios", "Write", false), ("dios", "Discard", false),
        ]
        var found = CgroupStatistics.BlockIO()
        for line in text.split(separator: "\n" as Character) {
            let words = line.split(separator: " " as Character)
            let device = words.first?.split(separator: ":" as Character) ?? []
            guard device.count == 2, let major = UInt64(device[0]), let minor = UInt64(device[1]) else { continue }
            for word in words.dropFirst() {
                let halves = word.split(separator: "=" as Character)
                guard halves.count == 2, let value = UInt64(halves[1]),
                    let (_, operation, isBytes) = names.first(where: { $0.0 == halves[0] })
                else { continue }
                let entry = CgroupStatistics.BlockEntry(
                    major: major,
                    minor: minor,
                    operation: operation,
                    value: value
                )
                if isBytes { found.bytes.append(entry) } else { found.operations.append(entry) }
            }
        }
        return found
    }

    /// The sizes of huge pages that this machine has, as the cgroup files name them.
    static func hugepageSizes() throws(Failure) -> [String] {
        let place = "/sys/kernel/mm/hugepages"
        do throws(Errno) {
            let directory = try BorrowedFD.workingDirectory.open(place, [.readOnly, .directory])
            return try directory.borrowed.entries().compactMap(\.name).compactMap(hugepageSize).sorted()
        } catch .ENOENT {
            return []
        } catch {
            throw Failure("list \(place)", .getdents, error)
        }
    }

    /// `2MB` for `hugepages-2048kB`.
    static func hugepageSize(_ directory: String) -> String? {
        guard directory.hasPrefix("hugepages-"), directory.hasSuffix("kB"),
            var size = UInt64(directory.dropFirst(10).dropLast(2))
        else { return nil }
        var units = ["KB", "MB", "GB"][...]
        while size >= 1024, size % 1024 == 0, units.count > 1 {
            size /= 1024
            units.removeFirst()
        }
        return "\(size)\(units.first ?? "")"
    }
}
