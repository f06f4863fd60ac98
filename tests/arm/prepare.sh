#!/bin/sh
# Make a folder with Debian's Python for ARM, NumPy and pytest, and in it `python`, which runs them by qemu on this machine,
# and `cc`, which compiles for ARM by Zig. As root, on Debian; the first time takes a minute.
# Use: prepare.sh FOLDER PYTHON, the latter with pip and ziglang
set -eu
mkdir -p "$1"
folder=$(realpath "$1")
python=$(realpath -s "$2")
release=$(. /etc/os-release && echo "$VERSION_CODENAME")

command -v qemu-aarch64 >/dev/null && command -v debootstrap >/dev/null ||
    { apt-get update -qq && apt-get install -qq -y qemu-user debootstrap >/dev/null; }

if [ ! -e "$folder/ready" ]; then
    rm -rf "$folder/root" "$folder/site"
    debootstrap --foreign --arch=arm64 --variant=minbase --include=python3 "$release" "$folder/root" >"$folder/log"
    for package in "$folder"/root/var/cache/apt/archives/*.deb; do  # unpacked; nothing in it is set up
        dpkg-deb -x "$package" "$folder/root"
    done
fi

cat >"$folder/python" <<END
#!/bin/sh
# Of qemu's default processor, NumPy's OpenBLAS makes NaN.
export QEMU_CPU=cortex-a72 PYTHONHOME=/usr PYTHONPATH=$folder/site
exec qemu-aarch64 -L $folder/root -0 $folder/python $folder/root/usr/bin/python3 "\$@"
END
cat >"$folder/cc" <<END
#!/bin/sh
for told; do
    shift
    [ "\$told" = -march=native ] || set -- "\$@" "\$told"  # native is this machine
done
unset PYTHONHOME PYTHONPATH
exec $python -m ziglang cc -target aarch64-linux-gnu "\$@"
END
chmod +x "$folder/python" "$folder/cc"

if [ ! -e "$folder/ready" ]; then
    version=$("$folder/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$python" -m pip install --quiet --disable-pip-version-check --target "$folder/site" --only-binary=:all: \
        --python-version "$version" --platform manylinux2014_aarch64 --platform manylinux_2_27_aarch64 \
        numpy safetensors threadpoolctl pytest hypothesis
    touch "$folder/ready"
fi
