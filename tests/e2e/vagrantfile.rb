# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
#   vagrantfile.rb FILE PROVIDER
#
# Runs a Vagrantfile without Vagrant and prints what it sets and calls for one
# provider, a line each: "vm.box = ...", "libvirt.cpus = ...".

WANTED = ARGV[1]

class Recorder
  def initialize(path = nil)
    @path = path
  end

  def method_missing(name, *args, **options, &block)
    return provider(args.first, &block) if name == :provider

    if name.end_with?("=")
      puts "#{at(name.to_s.chomp("="))} = #{args.first.inspect}"
    elsif args.any?
      puts [at(name), *args.map(&:inspect), options.inspect].join(" ")
    end
    child = Recorder.new(at(name))
    block&.call(child)
    child
  end

  def respond_to_missing?(*)
    true
  end

  private

  def at(name)
    [@path, name].compact.join(".")
  end

  # What a provider overrides is set at the top.
  def provider(name, &block)
    block.call(Recorder.new(name), Recorder.new) if name.to_s == WANTED
  end
end

module Vagrant
  def self.configure(_version)
    yield Recorder.new
  end
end

load File.expand_path(ARGV[0])
