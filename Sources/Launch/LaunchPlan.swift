// A birth as data: what each process will do. Pure: the same for `create` and for `explain`.

package import Configuration

/// The lists of one birth.
package struct LaunchPlan: Equatable, Sendable {
    package let runtime: [RuntimeStep]
    /// Empty when there is no intermediate process.
    package let intermediate: [IntermediateStep]
    package let initial: [InitStep]

    /// - Parameter cgroups: The directories that the cgroup driver will make.
    package init(_ c: ContainerConfiguration, _ f: HostFacts, _ r: LaunchRequest, cgroups: [String]) {
        runtime = Birth.runtimeSteps(c, f, r, cgroups: cgroups)
        intermediate = Birth.intermediateSteps(c, f)
        initial = Birth.initSteps(c, f, r)
    }
}
