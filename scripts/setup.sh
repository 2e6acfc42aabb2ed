# shellcheck shell=bash disable=SC2034,SC2154 # its variables cross files
# What every script needs first: the root of the checkout, a JDK, Maven, and a build that happens once.
# Sourced, never run. The caller has set `root` (absolute, no symbolic link) and `program` (its name in messages).
#
# After `need_jdk`: java_home, java_version (17.0.15), java_major (17).

readonly OLDEST_JAVA=17
readonly OLDEST_MAVEN=3.8
readonly EXIT_UNAVAILABLE=69 # EX_UNAVAILABLE of sysexits.h: clear of mhsld's own exit codes

say() { printf '%s: %s\n' "$program" "$*" >&2; }

# Sets java_home and the rest from one candidate folder; false when that is no JDK, or too old a one.
# The version is read from the JDK's `release` file: starting a JVM to ask it takes longer than all the rest.
try_jdk() {
    local home=$1 line version=
    [[ -x $home/bin/java && -x $home/bin/javac ]] || return 1
    if [[ -r $home/release ]]; then
        while IFS= read -r line; do
            if [[ $line == JAVA_VERSION=* ]]; then
                version=${line#JAVA_VERSION=}
                version=${version//\"/}
                break
            fi
        done <"$home/release"
    fi
    if [[ -z $version ]]; then
        version=$("$home/bin/java" -XshowSettings:properties -version 2>&1 </dev/null |
            sed -n 's/^ *java\.version = //p')
    fi
    local major=${version%%[!0-9]*}
    [[ -n $major ]] && ((major >= OLDEST_JAVA)) || return 1
    java_home=$home
    java_version=$version
    java_major=$major
}

find_jdk() {
    if [[ -n ${JAVA_HOME:-} ]] && try_jdk "${JAVA_HOME%/}"; then
        return 0
    fi
    local java candidate
    if java=$(type -P java) && java=$(readlink -f "$java") && try_jdk "${java%/bin/java}"; then
        return 0
    fi
    for candidate in /usr/lib/jvm/*; do
        if [[ ! -L $candidate ]] && try_jdk "$candidate"; then
            return 0
        fi
    done
    return 1
}

# Finds another installed JDK of one major version, without forgetting the one in use.
find_jdk_of_major() {
    local wanted=$1 candidate
    for candidate in "${JAVA_HOME:-}" /usr/lib/jvm/* /opt/java/* /opt/jdk*; do
        # In a subshell: try_jdk sets the variables of the JDK in use.
        if [[ -n $candidate && ! -L $candidate ]] && (try_jdk "$candidate" && ((java_major == wanted))); then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}

# Prints the version of Maven, or nothing.
maven_version() {
    command -v mvn >/dev/null || return 0
    JAVA_HOME=${java_home:-${JAVA_HOME:-}} mvn -B -v 2>/dev/null </dev/null |
        sed -n 's/^[^A]*Apache Maven \([0-9][0-9.]*\).*/\1/p' | head -n 1
}

maven_is_new_enough() {
    local version=$1 major minor
    IFS=. read -r major minor _ <<<"$version"
    [[ -n $major && -n $minor ]] || return 1
    ((major > ${OLDEST_MAVEN%.*} || (major == ${OLDEST_MAVEN%.*} && minor >= ${OLDEST_MAVEN#*.})))
}

is_debian_like() {
    command -v apt-get >/dev/null && [[ -e /etc/debian_version ]]
}

# The JDK package of this release: the default one, unless that is older than what we need.
jdk_package() {
    local major
    major=$(apt-cache depends default-jdk-headless 2>/dev/null |
        sed -n 's/.*Depends: openjdk-\([0-9]*\)-jdk-headless.*/\1/p' | head -n 1)
    if [[ -n $major ]] && ((major >= OLDEST_JAVA)); then
        echo default-jdk-headless
    else
        echo "openjdk-$OLDEST_JAVA-jdk-headless"
    fi
}

install_packages() {
    local log=$root/target/setup.log packages=()
    mkdir -p "$root/target"
    say "installing $* with apt-get (once)"
    if ! apt-get -q update >"$log" 2>&1 </dev/null; then
        tail -n 5 "$log" >&2
        say "apt-get update failed: log=$log"
        exit "$EXIT_UNAVAILABLE"
    fi
    local what
    for what; do
        case $what in
            JDK) packages+=("$(jdk_package)") ;;
            Maven) packages+=(maven) ;;
        esac
    done
    if ! DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "${packages[@]}" \
        >>"$log" 2>&1 </dev/null; then
        tail -n 5 "$log" >&2
        say "apt-get install failed: packages=${packages[*]} log=$log"
        exit "$EXIT_UNAVAILABLE"
    fi
    hash -r
}

# Makes sure of the named things, of JDK and Maven: looks, installs where that is possible, looks again, gives up.
need() {
    local what version missing=()
    for what; do
        case $what in
            JDK) find_jdk || missing+=(JDK) ;;
            Maven)
                version=$(maven_version)
                maven_is_new_enough "$version" || missing+=(Maven)
                ;;
        esac
    done
    ((${#missing[@]} > 0)) || return 0

    if ((EUID == 0)) && is_debian_like && [[ -z ${tried_install:-} ]]; then
        tried_install=yes
        install_packages "${missing[@]}"
        need "$@"
        return
    fi

    local found='' names=''
    for what in "${missing[@]}"; do
        case $what in
            JDK)
                found+=", a JDK of Java $OLDEST_JAVA or newer"
                names+=' default-jdk-headless'
                ;;
            Maven)
                found+=", Maven $OLDEST_MAVEN or newer${version:+ (this one is $version)}"
                names+=' maven'
                ;;
        esac
    done
    say "missing: ${found#, }"
    if is_debian_like; then
        say "get it with: sudo apt-get update && sudo apt-get install$names"
    else
        say "install it with this system's packages, or set JAVA_HOME and put mvn on PATH"
    fi
    exit "$EXIT_UNAVAILABLE"
}

# Runs Maven in the checkout on the JDK found. It never reads our standard input.
# What it builds will be run: whatever the umask, nobody else may write to it.
run_maven() {
    (umask go-w && cd "$root" && JAVA_HOME=$java_home exec mvn -B -ntp "$@" </dev/null)
}

# One builder at a time per checkout: the lock is on a file that is always there, and ends with this process.
lock_checkout() {
    exec {checkout_lock}<"$root/pom.xml"
    flock "$checkout_lock"
}

unlock_checkout() {
    exec {checkout_lock}<&-
}

# True when the file of the first argument is there and no source of the other arguments (under root) is newer.
# Folders count too: a source that was removed makes its folder newer. Where Maven finds nothing to do it leaves
# the old jar, so a stamp beside it says when the sources were last looked at.
is_fresh() {
    local output=$1 reference=$1
    shift
    [[ -e $output ]] || return 1
    if [[ $output.stamp -nt $output ]]; then
        reference=$output.stamp
    fi
    local source sources=()
    for source; do
        [[ ! -e $root/$source ]] || sources+=("$root/$source")
    done
    [[ -z $(find "${sources[@]}" -newer "$reference" -print -quit) ]]
}

# quick_build OUTPUT MODULE SOURCE…: builds a module and what it needs, without tests and format, if it is not fresh.
quick_build() {
    local output=$1 module=$2
    shift 2
    lock_checkout
    if ! is_fresh "$output" "$@"; then
        need JDK Maven
        local log=$root/$module/target/build.log
        if ! (umask go-w && mkdir -p "${log%/*}" && : >"$output.stamp.new") 2>/dev/null; then
            say "$module must be built, and this user may not: folder=${log%/*}"
            exit "$EXIT_UNAVAILABLE"
        fi
        say "building $module (at first use and when its sources have changed)"
        # Taken before the build: what is edited while it runs is newer than this.
        : >"$output.stamp.new"
        if ! (umask go-w && run_maven -Dquick -pl "$module" -am package >"$log" 2>&1); then
            # Up to the sentence with Maven's own conclusion; what follows is advice about Maven.
            grep -E '^\[ERROR\]' "$log" | sed '/^\[ERROR\] Failed to execute goal/q' | cut -c -400 | tail -n 20 >&2 ||
                tail -n 20 "$log" >&2
            say "build failed: log=$log"
            exit "$EXIT_UNAVAILABLE"
        fi
        mv "$output.stamp.new" "$output.stamp"
    fi
    unlock_checkout
}

# Prints the flags that only some JVMs know, for the Java version given.
flags_of_major() {
    if (($1 >= 24)); then
        echo '--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow'
    fi
}

# What the libraries reach into, for a JVM that is not started with -jar (mhsld.jar's manifest says the same).
readonly JVM_OPENS=(
    --add-opens=java.base/jdk.internal.misc=ALL-UNNAMED
    --add-opens=java.base/sun.nio.ch=ALL-UNNAMED
    --add-opens=java.base/java.lang.reflect=ALL-UNNAMED
    --add-exports=java.base/jdk.internal.ref=ALL-UNNAMED
)

# Builds the stress module if that is needed: its classes, and what they run with in target/lib.
build_stress() {
    quick_build "$root/stress/target/mhsld-stress.jar" stress pom.xml mhsld-core/pom.xml mhsld-core/src/main \
        mhsld-cli/pom.xml mhsld-cli/src/main stress/pom.xml stress/src/main
}
